"""Does support help a user with the keyboard alone, and does a revealed number go away by itself?"""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.models import AuditEntry, User
from tests.browser.test_keyboard import assert_focus_shows, tab_to

pytestmark = pytest.mark.browser

WHY = "The user called and asked."
CURRENT, PENDING = "+81 90-1234-5678", "+81 80-8765-4321"
HIDDEN_DIGITS = re.compile(r"9012345678|8087654321|1234-5678|8765-4321")
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, location.href, history.state])"


@pytest.fixture
def bobs(page: Page, bob, shop, sign_in) -> Page:
    """Bob's tab: he supports the shop."""
    sign_in(page, bob)
    return page


@pytest.fixture
def user_page(shop, town) -> str:
    return f"/apps/{shop.id}/users/{town['changing'].id}"


def reveal(page: Page, user_page: str) -> None:
    page.goto(f"{user_page}/reveal")
    page.get_by_label("Reason").fill(WHY)
    page.get_by_role("button", name="Reveal for").click()
    expect(page.get_by_text(CURRENT)).to_be_visible()


def test_support_cancels_a_change_with_the_keyboard_alone(bobs, user_page, town, session):
    bobs.goto(user_page)
    tab_to(bobs, bobs.get_by_role("link", name="Cancel the pending change"))
    bobs.keyboard.press("Enter")
    expect(bobs.get_by_role("heading", name="Cancel the pending change", level=1)).to_be_visible()
    button = bobs.get_by_role("button", name="Cancel the pending change")
    tab_to(bobs, button)
    bobs.keyboard.press("Enter")
    reason = bobs.get_by_label("Reason")
    expect(reason).to_be_focused()
    expect(bobs.get_by_text("Write why, in at least 3 characters.")).to_be_visible()
    assert_focus_shows(bobs)
    bobs.keyboard.type(WHY)
    bobs.keyboard.press("Enter")

    expect(bobs.get_by_text("The pending change is cancelled.")).to_be_visible()
    expect(bobs).to_have_url(user_page)
    assert session.get(User, (town["changing"].app_id, town["changing"].id)).pending_phone_number is None
    [entry] = session.scalars(select(AuditEntry).where(AuditEntry.reason == WHY)).all()
    assert entry.action == "number.change_cancelled"


def test_support_reveals_and_hides_with_the_keyboard_alone(bobs, user_page):
    bobs.goto(user_page)
    tab_to(bobs, bobs.get_by_role("link", name="Reveal"))
    bobs.keyboard.press("Enter")
    expect(bobs.get_by_role("heading", name="Reveal the numbers", level=1)).to_be_visible()
    tab_to(bobs, bobs.get_by_label("Reason"))
    bobs.keyboard.type(WHY)
    bobs.keyboard.press("Enter")
    expect(bobs.get_by_text(CURRENT)).to_be_visible()
    expect(bobs.get_by_text(PENDING)).to_be_visible()
    expect(bobs.locator("#revealed")).to_be_focused()
    tab_to(bobs, bobs.get_by_role("button", name="Copy the current number"))
    tab_to(bobs, bobs.get_by_role("link", name="Hide them now"))
    bobs.keyboard.press("Enter")

    expect(bobs).to_have_url(user_page)
    assert not HIDDEN_DIGITS.search(bobs.content())


def test_ten_08_after_a_minute_the_numbers_are_out_of_the_page(bobs, user_page):
    bobs.clock.install()
    reveal(bobs, user_page)
    bobs.clock.run_for(2_000)
    expect(bobs.get_by_role("timer")).to_have_text(re.compile(r"^They are hidden again in 5\d seconds\.$"))
    bobs.clock.run_for(60_000)

    expect(bobs.get_by_role("timer")).to_have_text("The numbers are hidden again.")
    assert not HIDDEN_DIGITS.search(bobs.content())


def test_ten_08_the_page_leaves_by_itself(bobs, user_page, monkeypatch):
    monkeypatch.setattr("portal.web.reveals.SHOWN_FOR_S", 2)
    reveal(bobs, user_page)

    expect(bobs).to_have_url(user_page)
    assert not HIDDEN_DIGITS.search(bobs.content())


def test_a_reload_asks_for_a_reason_again(bobs, user_page, session):
    reveal(bobs, user_page)
    bobs.reload()

    expect(bobs.get_by_label("Reason")).to_have_value("")
    assert not HIDDEN_DIGITS.search(bobs.content())
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.reason == WHY)).all()) == 1


def test_going_back_to_it_shows_no_number(bobs, user_page):
    reveal(bobs, user_page)
    bobs.get_by_role("link", name="Hide them now").click()
    expect(bobs).to_have_url(user_page)
    bobs.go_back()

    expect(bobs.get_by_role("heading", name="Reveal the numbers", level=1)).to_be_visible()
    assert not HIDDEN_DIGITS.search(bobs.content())


def test_web_05_no_digit_of_a_number_lands_in_the_browsers_stores_or_addresses(bobs, user_page, watch):
    reveal(bobs, user_page)

    assert not HIDDEN_DIGITS.search(bobs.evaluate(STORED))
    bobs.get_by_role("link", name="Hide them now").click()
    expect(bobs).to_have_url(user_page)
    assert not HIDDEN_DIGITS.search(bobs.evaluate(STORED))
    assert not [request.url for request in watch.requests if HIDDEN_DIGITS.search(request.url)]
