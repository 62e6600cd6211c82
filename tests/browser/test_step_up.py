"""Is the page that asks once more who one is read, used by keyboard, and left without losing a text?"""

import pytest
from playwright.sync_api import Page, expect

from portal.models import SmsTemplate
from tests.browser.test_accessibility import assert_everybody_can_read
from tests.browser.test_keyboard import tab_to
from tests.cast import PASSWORD

pytestmark = pytest.mark.browser

TEXT = "{app_name}: {code}"


@pytest.fixture
def later(alices: Page, clock, watch) -> Page:
    """Alice's browser eleven minutes after she signed in."""
    watch.expects(403)
    clock.advance(11 * 60)
    return alices


@pytest.fixture
def left_open(later: Page, shop) -> Page:
    """Her editor, with a text that she typed."""
    later.goto(f"/apps/{shop.id}/sms-templates/ja")
    later.get_by_label("Text").fill(TEXT)
    return later


def test_a_text_is_kept_while_its_writer_proves_who_they_are(left_open, shop, session):
    left_open.get_by_role("button", name="Save Japanese").click()
    expect(left_open.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    expect(left_open.get_by_label("Password")).to_be_focused()
    left_open.keyboard.type("wrong")
    left_open.keyboard.press("Enter")
    expect(left_open.get_by_text("This is not your password.")).to_be_visible()
    expect(left_open.get_by_label("Password")).to_be_focused()
    left_open.keyboard.type(PASSWORD)
    tab_to(left_open, left_open.get_by_role("button", name="Confirm and go on"))
    left_open.keyboard.press("Enter")

    expect(left_open.get_by_text("Saved Japanese, version 1.")).to_be_visible()
    expect(left_open.get_by_label("Text")).to_have_value(TEXT)
    assert session.get(SmsTemplate, (shop.id, "ja")) is not None


@pytest.mark.parametrize("scripts", [False])
def test_without_javascript_a_text_is_kept_too(left_open, shop, session, scripts):
    left_open.get_by_role("button", name="Save Japanese").click()
    left_open.get_by_label("Password").fill(PASSWORD)
    left_open.get_by_role("button", name="Confirm and go on").click()

    expect(left_open.get_by_text("Saved Japanese, version 1.")).to_be_visible()
    assert session.get(SmsTemplate, (shop.id, "ja")) is not None


def test_a_page_that_needs_it_asks_before_its_form_is_filled_in(later, shop):
    later.goto(f"/apps/{shop.id}/access-keys")
    later.get_by_role("link", name="Confirm that it is you").click()
    later.get_by_label("Password").fill(PASSWORD)
    later.get_by_role("button", name="Confirm and go on").click()

    expect(later.get_by_label("Type reset")).to_be_visible()


def test_the_page_that_asks_can_be_read_by_everybody(left_open, watch):
    left_open.get_by_role("button", name="Save Japanese").click()
    assert_everybody_can_read(left_open, watch)
    left_open.get_by_role("button", name="Confirm and go on").click()
    expect(left_open.get_by_text("Enter your password.")).to_be_visible()
    assert_everybody_can_read(left_open, watch)


@pytest.mark.parametrize("page_name", ["access-keys", "audit"])
def test_the_pages_that_lead_to_it_can_be_read_by_everybody(later, shop, watch, page_name):
    later.goto(f"/apps/{shop.id}/{page_name}")
    expect(later.get_by_role("link", name="Confirm that it is you")).to_be_visible()
    assert_everybody_can_read(later, watch)
