"""Does somebody who forgot their password come back in, without JavaScript too?"""

import io
import re

import pytest
from playwright.sync_api import expect

from tests.browser.sites import type_sign_in
from tests.browser.test_accessibility import assert_everybody_can_read

pytestmark = pytest.mark.browser

NEW = "tea garden 42 umbrella"


@pytest.mark.parametrize("scripts", [True, False])
def test_a_forgotten_password_is_replaced(page, app, alice, watch, scripts):
    mails = app.extensions["ringback"].mailer._out = io.StringIO()
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail address").fill(alice.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(re.findall(r"http://127\.0\.0\.1:8080(/password-reset/\S+)", mails.getvalue())[0])
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Set the new password").click()
    expect(page.get_by_text("Your new password is set.")).to_be_visible()
    type_sign_in(page, alice.email, NEW)


def test_its_pages_can_be_read_by_everybody(page, app, alice, watch):
    watch.expects(404)
    mails = app.extensions["ringback"].mailer._out = io.StringIO()
    page.goto("/password-reset")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("Write an e-mail address")).to_be_visible()
    assert_everybody_can_read(page, watch)
    page.get_by_label("E-mail address").fill(alice.email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    assert_everybody_can_read(page, watch)
    page.goto(re.findall(r"http://127\.0\.0\.1:8080(/password-reset/\S+)", mails.getvalue())[0])
    page.get_by_role("button", name="Set the new password").click()
    expect(page.get_by_text("Choose a password.")).to_be_visible()
    assert_everybody_can_read(page, watch)
    page.goto(f"/password-reset/{'x' * 43}")
    expect(page.get_by_text("This link cannot be used.")).to_be_visible()
    assert_everybody_can_read(page, watch)
