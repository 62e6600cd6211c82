"""Does support help a user in a browser that runs no JavaScript, and does a revealed number go away there?"""

import pytest
from playwright.sync_api import expect

from portal.models import User
from tests.browser.test_user_actions import HIDDEN_DIGITS, WHY, bobs, reveal, user_page

__all__ = ["bobs", "user_page"]

pytestmark = pytest.mark.browser


def test_support_disables_and_enables_a_user(bobs, user_page, town, session):
    key = (town["changing"].app_id, town["changing"].id)
    for deed, is_disabled in (("Disable the user", True), ("Enable the user", False)):
        bobs.goto(user_page)
        bobs.get_by_role("link", name=deed).click()
        bobs.get_by_label("Reason").fill(WHY)
        bobs.get_by_role("button", name=deed).click()
        expect(bobs).to_have_url(user_page)
        assert session.get(User, key).disabled is is_disabled


def test_a_refused_reason_stays_in_its_field(bobs, user_page):
    bobs.goto(f"{user_page}/actions/free-number")
    bobs.get_by_label("Reason").fill("Call 090-1234-0000")
    bobs.get_by_role("button", name="Free the number").click()

    expect(bobs.get_by_text("Write the reason without phone numbers or codes.")).to_be_visible()
    expect(bobs.get_by_label("Reason")).to_have_value("Call 090-1234-0000")


def test_ten_08_the_page_of_the_numbers_leaves_by_itself(bobs, user_page, monkeypatch):
    monkeypatch.setattr("portal.web.reveals.SHOWN_FOR_S", 2)
    reveal(bobs, user_page)

    expect(bobs).to_have_url(user_page)
    assert not HIDDEN_DIGITS.search(bobs.content())


@pytest.fixture
def scripts() -> bool:
    """This browser runs no JavaScript."""
    return False
