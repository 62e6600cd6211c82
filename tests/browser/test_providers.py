"""Can an owner set carriers up in a real browser, with and without JavaScript, and by keyboard alone?"""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.models import App, Provider
from tests.browser.sites import sign_in
from tests.browser.test_accessibility import assert_everybody_can_read
from tests.browser.test_keyboard import assert_focus_shows, tab_to
from tests.web.carrier_kinds import SECRET, carrier

__all__ = ["carrier", "sign_in"]

pytestmark = pytest.mark.browser

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/provider"


def add(page: Page, label: str, sender: str = "Shop") -> None:
    """Adds a carrier of the stand-in's kind, from the list on."""
    page.get_by_role("link", name="Add a provider").click()
    page.get_by_role("link", name="HTTP request").click()
    page.get_by_label("Name", exact=True).fill(label)
    page.get_by_label("Address").fill("https://sms.example/send")
    page.get_by_label("Sender").fill(sender)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Add HTTP request").click()


def names(page: Page) -> list[str]:
    return page.locator(".providers-line h3 a").all_inner_texts()


@BOTH
def test_from_nothing_to_live_and_back(alices, address, carrier, scripts, session, shop, watch):
    page = alices
    page.goto(address)
    add(page, "Tea", sender="?!")
    expect(page.get_by_text("Up to 15 letters and digits.").first).to_be_visible()
    expect(page.get_by_label("Sender")).to_have_value("?!")
    expect(page.get_by_label("Password")).to_have_value("")
    if scripts:
        expect(page.get_by_role("alert")).to_be_focused()
        assert_everybody_can_read(page, watch)
    page.get_by_label("Sender").fill("Shop")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Add HTTP request").click()
    expect(page.get_by_text("is added, and on.")).to_be_visible()
    expect(page.get_by_role("button", name="Check credentials")).to_have_accessible_description(
        re.compile("Nothing is sent")
    )
    page.get_by_role("button", name="Check credentials").click()
    expect(page.locator("#check-result")).to_have_text("The provider accepts these credentials.")
    # Nothing on the page still asks for what was just done.
    expect(page.locator("#check-hint")).to_have_count(0)
    expect(page.get_by_text(re.compile("credentials next"))).to_have_count(0)
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Provider").click()
    page.get_by_role("link", name="Go live").click()
    expect(page.get_by_text("Real phones ring.")).to_be_visible()
    page.get_by_role("button", name="Go live").click()
    expect(page.get_by_text("This app is live.")).to_be_visible()
    assert session.get(App, shop.id).mode == "live"
    page.get_by_role("link", name="Back to the sandbox").click()
    page.get_by_role("button", name="Stop SMS to phones").click()
    expect(page.get_by_text("This app is in the sandbox.")).to_be_visible()
    assert session.get(App, shop.id).mode == "sandbox"


@BOTH
def test_they_are_put_in_order_switched_and_removed(alices, address, carrier, scripts, session):
    page = alices
    page.goto(address)
    for label in ("One", "Two", "Three"):
        add(page, label)
        page.goto(address)
    page.get_by_role("button", name="Move Three up").click()
    expect(page.locator(".providers-line h3 a")).to_have_text(["One", "Three", "Two"])
    switch = page.get_by_role("switch", name="Use One")
    switch.uncheck()
    if not scripts:
        page.get_by_role("button", name="Save One").click()
    line = page.locator(".providers-line", has_text="One")
    expect(line.first.get_by_text("Off", exact=True)).to_be_visible()
    expect(switch).not_to_be_checked()
    if scripts:
        expect(switch).to_be_focused()
    page.get_by_role("link", name="One").click()
    page.get_by_role("link", name="Remove this provider").click()
    expect(page.get_by_text("The credentials of One are deleted")).to_be_visible()
    page.get_by_role("button", name="Remove this provider").click()
    expect(page.get_by_text("is removed, and its credentials with it.")).to_be_visible()
    assert names(page) == ["Three", "Two"]
    assert session.scalars(select(Provider.label).order_by(Provider.position)).all() == ["Three", "Two"]


def test_all_of_it_is_done_by_keyboard_and_the_focus_stays(alices, address, carrier, watch):
    page = alices
    page.goto(address)
    for label in ("One", "Two"):
        tab_to(page, page.get_by_role("link", name="Add a provider"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Add a provider")).to_be_visible()
        tab_to(page, page.get_by_role("link", name="HTTP request"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Add HTTP request")).to_be_visible()
        for field, text in (("Name", label), ("Address", "https://sms.example/send"), ("Password", SECRET)):
            tab_to(page, page.get_by_label(field, exact=True))
            page.keyboard.press("Control+A")
            page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.get_by_text("is added, and on.")).to_be_visible()
        tab_to(page, page.get_by_role("button", name="Check credentials"))
        page.keyboard.press("Enter")
        expect(page.locator("#check-result")).to_be_visible()
        expect(page.get_by_role("button", name="Check credentials")).to_be_focused()
        expect(page.locator("#voice")).to_have_text("The provider accepts these credentials.")
        page.goto(address)
    up = page.get_by_role("button", name="Move Two up")
    tab_to(page, up)
    page.keyboard.press("Enter")
    expect(page.locator(".providers-line h3 a")).to_have_text(["Two", "One"])
    expect(up).to_be_focused()
    assert_focus_shows(page)
    expect(page.locator("#voice")).to_contain_text("is number 1 now.")
    # At the top it stays where it is, and so does the focus.
    page.keyboard.press("Enter")
    expect(page.locator(".providers-line h3 a")).to_have_text(["Two", "One"])
    expect(up).to_be_focused()
    switch = page.get_by_role("switch", name="Use One")
    # While the list is on its way back, the others wait.
    expect(page.locator(".htmx-request")).to_have_count(0)
    expect(switch).to_be_enabled()
    tab_to(page, switch)
    page.keyboard.press("Space")
    expect(page.locator("#voice")).to_contain_text("is off.")
    expect(switch).to_be_focused()
    assert_focus_shows(page)


def test_what_a_check_finds_wrong_stands_beside_its_button(alices, address, carrier, watch):
    page = alices
    page.goto(address)
    add(page, "Tea")
    carrier.fails = RuntimeError(SECRET)
    page.get_by_role("button", name="Check credentials").click()
    expect(page.locator("#check-result")).to_contain_text("makes no sense")
    assert_everybody_can_read(page, watch)


def test_support_reads_the_status_line_and_has_no_way_to_the_providers(
    page, watch, sign_in, bob, shop, session
):
    app = session.get(App, shop.id)
    app.mode, app.provider = "live", "carriers"
    session.flush()
    sign_in(page, bob)
    page.goto(f"/apps/{shop.id}/users")
    line = page.locator(".status-line")
    expect(line).to_contain_text("No SMS is sent: no provider is on. Tell an owner of this app.")
    expect(line.get_by_role("link")).to_have_count(0)
    expect(page.get_by_role("link", name="Provider", exact=True)).to_have_count(0)
    assert_everybody_can_read(page, watch)


@BOTH
def test_a_folded_part_opens_by_keyboard_and_by_itself_over_what_is_wrong_in_it(
    alices, address, scripts, watch
):
    page = alices
    page.goto(f"{address}/new/http")
    fold, check = page.locator("summary", has_text="Checking"), page.get_by_label("Address to check")
    expect(check).to_be_hidden()
    if scripts:
        tab_to(page, fold)
    else:
        fold.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(check).to_be_focused()
    page.keyboard.type("ftp://nowhere")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Address to check")).to_have_value("ftp://nowhere")
    expect(page.get_by_label("Address to check")).to_be_visible()
    expect(page.get_by_label("Signing key")).to_be_hidden()
    if scripts:
        assert_everybody_can_read(page, watch)
