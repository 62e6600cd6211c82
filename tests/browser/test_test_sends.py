"""Can an owner send a test in a real browser, with and without JavaScript, by keyboard, and see it arrive?"""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from portal.core import code
from portal.models import App, Message
from tests.browser.test_accessibility import assert_everybody_can_read

pytestmark = pytest.mark.browser

MINE, OTHERS = "090 1111 2222", "+49 170 1234567"


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Everything here works in both browsers."""
    return bool(request.param)


@pytest.fixture
def studio(alices: Page, shop) -> Page:
    """Alice's tab at the test page of the shop's English template."""
    alices.goto(f"/apps/{shop.id}/sms-templates/en/test")
    return alices


@pytest.fixture
def live_studio(studio: Page, shop, session) -> Page:
    """The same, the shop live."""
    session.execute(update(App).where(App.id == shop.id).values(mode="live", provider="console"))
    studio.reload()
    return studio


def test_a_sandbox_test_is_sent_and_read_in_the_inbox(studio, scripts, watch):
    expect(studio.locator(".bubble")).to_contain_text("482913 is your Shop code.")
    if scripts:
        assert_everybody_can_read(studio, watch)
    studio.get_by_role("button", name="Send the test").press("Enter")
    expect(studio.get_by_text("4 of 5 left today")).to_be_visible()
    shows(studio, scripts, "Delivered")
    studio.get_by_role("link", name="Read it in the inbox").press("Enter")
    expect(studio.locator(".inbox li")).to_contain_text("482913 is your Shop code.")
    expect(studio.locator(".inbox li").get_by_text("Test", exact=True)).to_be_visible()
    if scripts:
        assert_everybody_can_read(studio, watch)


def test_a_live_app_learns_the_own_number_step_by_step(live_studio, scripts, watch, session, keys):
    page = live_studio
    field = page.get_by_label("Your mobile number")
    field.fill(OTHERS)
    field.press("Enter")
    expect(field).to_have_value(OTHERS)
    expect(field).to_be_focused() if scripts else expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("DE is not open for this app.")).to_be_visible()
    if scripts:
        assert_everybody_can_read(page, watch)
    field.fill(MINE)
    field.press("Enter")
    shows(page, scripts, "Sent")
    typed = page.get_by_label("Code", exact=True)
    typed.fill("000")
    typed.press("Enter")
    expect(page.get_by_text("A code has 6 digits. This one was not counted")).to_be_visible()
    if scripts:
        assert_everybody_can_read(page, watch)
    typed.fill(digits(session, keys))
    typed.press("Enter")
    expect(page.get_by_text("This number is yours")).to_be_visible()
    page.get_by_role("button", name="Send the test").press("Enter")
    shows(page, scripts, "Sent")
    if scripts:
        assert_everybody_can_read(page, watch)
    page.get_by_role("button", name="Use another number").press("Enter")
    expect(field).to_have_value("")


def test_tpl_05_the_sixth_test_is_refused_where_it_was_asked_for(studio, scripts, watch):
    watch.expects(429)
    for left in ("4", "3", "2", "1", "None"):
        studio.get_by_role("button", name="Send the test").click()
        expect(studio.get_by_text(f"{left} of 5 left today")).to_be_visible()
    studio.get_by_role("button", name="Send the test").click()
    refusal = studio.get_by_role("alert")
    expect(refusal).to_contain_text("Nothing was sent: you used your five tests of 24 hours.")
    if scripts:
        expect(refusal).to_be_focused()
        assert_everybody_can_read(studio, watch)


def shows(page: Page, scripts: bool, state: str) -> None:
    """Waits until the page says how the message fares; without JavaScript, its reader reloads."""
    badge = page.locator("#test-state .badge-state").get_by_text(state)
    for _ in range(0 if scripts else 40):
        if badge.count():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(badge).to_be_visible()


def digits(session, keys) -> str:
    """The code that the newest SMS says."""
    values = session.scalars(select(Message).order_by(Message.serial.desc())).first().values
    return code.derive(keys.codes[int(values["key_version"])], values["id"], 1, code.USUAL)
