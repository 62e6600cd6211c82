"""Does a page say the time that the person's own clock shows, from the first page after signing in on?"""

import re

import pytest
from playwright.sync_api import expect

from portal import clock
from portal.models import AuditAction
from tests import factories
from tests.browser.sites import type_sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def long_ago(session, shop, town) -> str:
    """The address of a user to whom something happened a while before: at 20:15 UTC on 3 March 2026."""
    at = 1_772_568_900_000
    assert clock.as_datetime(at).isoformat() == "2026-03-03T20:15:00+00:00"
    user = factories.user(session, app_id=shop.id)
    factories.audit_entry(session, app_id=shop.id, user_id=user.id, action=AuditAction.USER_UPDATED, at=at)
    return f"/apps/{shop.id}/users/{user.id}"


def test_who_signs_in_reads_the_times_of_their_own_zone(page, alice, long_ago):
    type_sign_in(page, alice.email, alice.password)
    page.goto(long_ago)

    expect(page.get_by_role("heading", name="Wednesday, 4 March 2026")).to_be_visible()
    when = page.locator("#timeline li time")
    expect(when).to_have_attribute("title", "4 March 2026, 05:15:00 (3 March 2026, 20:15:00 UTC)")
    [cookie] = [each for each in page.context.cookies() if each["name"] == "tz"]
    assert (cookie["value"], cookie["sameSite"]) == ("Asia/Tokyo", "Lax")


def test_a_page_that_was_opened_before_the_zone_was_known_says_utc(alices, long_ago):
    alices.goto(long_ago)
    expect(alices.get_by_role("heading", name="Tuesday, 3 March 2026")).to_be_visible()
    expect(alices.locator("#timeline li time")).to_have_attribute("title", re.compile(r"20:15:00 UTC$"))

    alices.reload()
    expect(alices.get_by_role("heading", name="Wednesday, 4 March 2026")).to_be_visible()
