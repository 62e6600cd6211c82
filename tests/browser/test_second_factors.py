"""Do passkeys and an authenticator app work in a real browser, by keyboard, and for everybody's eyes?"""

import base64

import pytest
from playwright.sync_api import Locator, Page, expect

from portal import clock
from portal.core import totp
from tests.browser.sites import type_sign_in
from tests.browser.test_accessibility import assert_everybody_can_read
from tests.browser.test_keyboard import tab_to
from tests.cast import PASSWORD

pytestmark = pytest.mark.browser


@pytest.fixture
def site(site: str) -> str:
    """Passkeys belong to names of hosts, which 127.0.0.1 is not."""
    return site.replace("127.0.0.1", "localhost")


@pytest.fixture
def authenticator(page: Page):
    """A virtual authenticator of the browser's own, which knows its person."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    made = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def knows_its_person(yes: bool) -> None:
        devtools.send(
            "WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": yes}
        )

    return knows_its_person


def set_up_app(page: Page) -> str:
    """Sets an app up, and returns its key."""
    page.goto("/account")
    page.get_by_role("button", name="Set up the authenticator app").click()
    key = page.locator("#app-key").inner_text()
    page.get_by_label("Code that the app shows").fill(shown_by(key))
    page.get_by_role("button", name="Use this app").click()
    expect(page.get_by_role("heading", name="Your ten codes")).to_be_visible()
    return key


def shown_by(key: str, steps: int = 0) -> str:
    """The code that the app shows, so many half minutes from now."""
    return totp.code_at(base64.b32decode(key.replace(" ", "")), clock.now() // totp.STEP_MS + steps)


def _second_factors(page: Page) -> Locator:
    # What happened lately names the passkey too.
    return page.get_by_role("region", name="Second factors")


def add_passkey(page: Page) -> None:
    page.goto("/account/passkeys/new")
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("heading", name="Your ten codes")).to_be_visible()
    page.get_by_role("link", name="I have stored them").click()
    expect(_second_factors(page).get_by_text("Work laptop", exact=True)).to_be_visible()


def test_a_passkey_is_made_and_signs_in_alone(alices, authenticator):
    add_passkey(alices)
    alices.get_by_role("button", name="Sign out", exact=True).last.click()
    expect(alices.get_by_role("heading", name="Sign in")).to_be_visible()
    tab_to(alices, alices.get_by_role("button", name="Use a passkey"))
    alices.keyboard.press("Enter")

    expect(alices.get_by_role("heading", name="Apps", level=1)).to_be_visible()


def test_a_passkey_is_the_second_step_of_a_password(alices, alice, authenticator):
    add_passkey(alices)
    alices.context.clear_cookies()
    alices.goto("/sign-in")
    alices.get_by_label("E-mail address").fill(alice.email)
    alices.get_by_label("Password").fill(PASSWORD)
    alices.get_by_role("button", name="Sign in", exact=True).click()
    alices.get_by_role("button", name="Use your passkey").click()

    expect(alices.get_by_role("heading", name="Apps", level=1)).to_be_visible()


def test_a_passkey_confirms_and_the_form_goes_along(alices, alice, shop, authenticator, clock, watch):
    watch.expects(403)
    add_passkey(alices)
    clock.advance(11 * 60)
    alices.goto(f"/apps/{shop.id}/sms-templates/ja")
    alices.get_by_label("Text").fill("{app_name}: {code}")
    alices.get_by_role("button", name="Save Japanese").click()
    alices.get_by_role("button", name="Use your passkey").click()

    expect(alices.get_by_text("Saved Japanese, version 1.")).to_be_visible()


def test_a_passkey_that_does_not_know_its_person_says_what_to_do(alices, authenticator):
    add_passkey(alices)
    alices.context.clear_cookies()
    authenticator(False)
    alices.goto("/sign-in")
    alices.get_by_role("button", name="Use a passkey").click()

    expect(alices.get_by_role("alert").filter(has_text="No passkey was used.")).to_be_focused()


@pytest.mark.parametrize("scripts", [False])
def test_without_javascript_an_app_is_set_up_asked_for_and_removed(alices, alice, scripts):
    key = set_up_app(alices)
    alices.context.clear_cookies()
    alices.goto("/sign-in")
    alices.get_by_label("E-mail address").fill(alice.email)
    alices.get_by_label("Password").fill(PASSWORD)
    alices.get_by_role("button", name="Sign in", exact=True).click()
    alices.get_by_label("Code").fill(shown_by(key, 1))
    alices.get_by_role("button", name="Sign in").click()
    expect(alices.get_by_role("heading", name="Apps", level=1)).to_be_visible()

    alices.goto("/account")
    alices.get_by_role("button", name="Remove the authenticator app").click()
    alices.get_by_label("Your password").fill(PASSWORD)
    alices.get_by_role("button", name="Remove the authenticator app").click()
    expect(alices.get_by_text("Removed the authenticator app.")).to_be_visible()


def test_the_password_is_changed_by_keyboard(alices, alice, page):
    alices.goto("/account")
    tab_to(alices, alices.get_by_label("Current password"))
    alices.keyboard.type(PASSWORD)
    alices.keyboard.press("Tab")
    alices.keyboard.type("short")
    alices.keyboard.press("Enter")
    expect(alices.get_by_label("New password")).to_be_focused()
    expect(alices.get_by_label("Current password")).to_have_value(PASSWORD)
    alices.keyboard.type("tea garden 42 umbrella")
    alices.keyboard.press("Enter")
    expect(alices.get_by_text("Changed your password.")).to_be_visible()
    alices.get_by_role("button", name="Sign out everywhere").click()
    expect(alices.get_by_role("heading", name="Sign in")).to_be_visible()
    type_sign_in(alices, alice.email, "tea garden 42 umbrella")


def test_every_page_of_the_factors_can_be_read_by_everybody(alices, alice, watch, authenticator):
    watch.expects(403)
    alices.goto("/apps")
    expect(alices.get_by_text("Add a second factor")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    alices.goto("/account")
    alices.get_by_role("button", name="Set up the authenticator app").click()
    expect(alices.get_by_role("img", name="QR code")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    alices.get_by_role("button", name="Use this app").click()
    expect(alices.get_by_text("Enter the code.")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    set_up_app_here = shown_by(alices.locator("#app-key").inner_text())
    alices.get_by_label("Code that the app shows").fill(set_up_app_here)
    alices.get_by_role("button", name="Use this app").click()
    expect(alices.get_by_role("heading", name="Your ten codes")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    alices.goto("/account")
    alices.get_by_role("button", name="Remove the authenticator app").click()
    alices.get_by_role("button", name="Remove the authenticator app").click()
    expect(alices.get_by_text("Enter your password.")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    alices.goto("/account/passkeys/new")
    alices.get_by_label("Name").fill("Work laptop")
    alices.get_by_role("button", name="Make the passkey").click()
    expect(alices.get_by_text("Your passkey signs in from now on.")).to_be_visible()
    assert_everybody_can_read(alices, watch)


def test_the_second_step_can_be_read_by_everybody(alices, alice, watch, authenticator, clock):
    set_up_app(alices)
    alices.goto("/account/passkeys/new")
    alices.get_by_label("Name").fill("Work laptop")
    alices.get_by_role("button", name="Make the passkey").click()
    expect(_second_factors(alices).get_by_text("Work laptop", exact=True)).to_be_visible()
    clock.advance(11 * 60)
    alices.goto("/confirm")
    expect(alices.get_by_role("button", name="Use your passkey")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    alices.context.clear_cookies()
    alices.goto("/sign-in")
    alices.get_by_label("E-mail address").fill(alice.email)
    alices.get_by_label("Password").fill(PASSWORD)
    alices.get_by_role("button", name="Sign in", exact=True).click()
    expect(alices.get_by_role("heading", name="Second factor")).to_be_visible()
    assert_everybody_can_read(alices, watch)
    alices.get_by_role("button", name="Sign in").click()
    expect(alices.get_by_text("Enter a code.")).to_be_visible()
    assert_everybody_can_read(alices, watch)
