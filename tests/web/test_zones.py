"""Whose clock do pages show? That of the browser, which a cookie names; or UTC, which they then say."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from portal import clock as portal_clock
from portal.models import AuditAction, AuditEntry
from portal.services.timeline_events import Event, Kind
from portal.web import filters, timeline_days, zones
from portal.web.forms import days
from tests import factories

# Half past seven of the next morning in Tokyo.
EVENING = int(datetime(2026, 7, 23, 22, 30, tzinfo=UTC).timestamp()) * 1000
HOUR, DAY = portal_clock.HOUR, portal_clock.DAY
FOREIGN = [
    "",
    "Nowhere/Town",
    "../../etc/passwd",
    "/etc/localtime",
    "Asia/Tokyo/../Tokyo",
    "asia/tokyo",
    "Asia",
    "%41sia/Tokyo",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "A" * 5_000,
    "\xe6\x9d\xb1",
]


@pytest.fixture
def read_in(app, clock):
    """`with read_in("Asia/Tokyo"):` is a request of a browser there, on that evening."""
    clock.at = EVENING
    return lambda name: app.test_request_context(headers={"Cookie": f"tz={name}"})


@pytest.fixture
def machine_knows(monkeypatch):
    """`machine_knows({"Asia/Tokyo"})` takes all other zones from this machine."""

    def only(names: set[str]) -> None:
        monkeypatch.setattr(zones, "available_timezones", lambda: names)
        zones._names.cache_clear()
        zones._zone.cache_clear()

    yield only
    zones._names.cache_clear()
    zones._zone.cache_clear()


def test_times_are_those_of_the_persons_clock_with_utc_behind_them(read_in):
    with read_in("Asia/Tokyo"):
        assert filters.time_of_day(EVENING) == "07:30"
        assert filters.time_of_day(EVENING - 8 * HOUR) == "23:30 on 23 Jul"
        assert filters.time_of_day(EVENING - 365 * DAY) == "07:30 on 24 Jul 2025"
        assert filters.exact(EVENING) == "24 July 2026, 07:30:00 (23 July 2026, 22:30:00 UTC)"
        assert filters.exact(EVENING - 8 * HOUR) == "23 July 2026, 23:30:00 (14:30:00 UTC)"
        assert filters.ago(EVENING - 40 * DAY) == "14 Jun 2026"
        assert filters.machine_time(EVENING) == "2026-07-23T22:30:00+00:00"
    with read_in("UTC"):
        assert filters.ago(EVENING - 40 * DAY) == "13 Jun 2026 (UTC)"


@pytest.mark.parametrize("name", [*FOREIGN, "UTC", "Etc/UTC"])
def test_where_no_zone_is_known_times_say_that_they_are_utc(read_in, name):
    with read_in(name):
        assert zones.name() == "UTC"
        assert filters.time_of_day(EVENING) == "22:30 UTC"
        assert filters.time_of_day(EVENING - DAY) == "22:30 UTC on 22 Jul"
        assert filters.exact(EVENING) == "23 July 2026, 22:30:00 UTC"


def test_a_machine_without_zones_shows_utc(read_in, machine_knows):
    machine_knows(set())
    with read_in("Asia/Tokyo"):
        assert filters.time_of_day(EVENING) == "22:30 UTC"


@pytest.mark.parametrize(
    ("said", "known"), [("Asia/Calcutta", "Asia/Kolkata"), ("Europe/Kyiv", "Europe/Kiev")]
)
def test_a_zone_is_known_by_its_other_names_too(read_in, machine_knows, said, known):
    machine_knows({known})
    with read_in(said):
        assert zones.name() == known


def test_a_day_is_as_long_as_the_persons_clock_makes_it(read_in):
    with read_in("Europe/Berlin"):
        lengths = [zones.ends_at(day) - zones.starts_at(day) for day in (date(2026, 3, 29), date(2026, 7, 1))]
    assert lengths == [23 * HOUR, 24 * HOUR]


def test_the_last_day_that_there_is_ends_no_range():
    assert days.read("9999-12-31") is None
    assert days.read("9998-12-31") == date(9998, 12, 31)


def test_events_stand_under_the_days_of_the_persons_calendar(read_in):
    events = [
        Event(id=str(place), at=at, kind=Kind.DEED, sentence="Something happened")
        for place, at in enumerate((EVENING, EVENING - 8 * HOUR, EVENING - 35 * HOUR))
    ]
    with read_in("Asia/Tokyo"):
        told = [(day.key, day.title, len(day.events)) for day in timeline_days.by_day(events)]
        assert told == [
            ("2026-07-24", "Today", 1),
            ("2026-07-23", "Yesterday", 1),
            ("2026-07-22", "Wednesday, 22 July 2026", 1),
        ]
    with read_in(""):
        assert [day.title for day in timeline_days.by_day(events)] == ["Today", "Yesterday"]


# --- On pages --------------------------------------------------------------------------------------


@pytest.fixture
def past(session, shop, customer) -> int:
    """When something happened to the customer, Unix ms."""
    at = portal_clock.now()
    own = {"app_id": shop.id, "user_id": customer.id, "action": AuditAction.USER_UPDATED}
    factories.audit_entry(session, **own, at=at)
    return at


# Their calendars never show the same day.
@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_timeline_and_the_audit_page_agree_on_the_day(bobs, shop, customer, past, name):
    bobs.client.set_cookie("tz", name)
    page = bobs.get(f"/apps/{shop.id}/users/{customer.id}").text
    with bobs.client.application.test_request_context(headers={"Cookie": f"tz={name}"}):
        here, exactly = zones.local(past), filters.exact(past)

    assert f'<time datetime="{here:%Y-%m-%d}" title="{here:%Y-%m-%d} ({name})">' in page
    assert f'<span class="unseen">, {exactly}</span>' in page
    for day, is_listed in ((here.date(), True), (here.date() - timedelta(days=1), False)):
        listed = bobs.get(f"/apps/{shop.id}/audit?from={day}&to={day}").text
        assert (f'title="{exactly}"' in listed) is is_listed
        assert "(UTC)" not in listed


@pytest.mark.parametrize("foreign", FOREIGN)
def test_whatever_the_cookie_holds_pages_open_and_do_not_repeat_it(bobs, shop, customer, past, foreign):
    sent = {"Cookie": f"tz={foreign}; session={bobs.cookie()}"}
    page = bobs.client.get(f"/apps/{shop.id}/users/{customer.id}", headers=sent)

    assert page.status_code == 200
    assert re.search(r'<h3><time datetime="[\d-]+" title="[\d-]+ \(UTC\)">', page.text)
    assert not foreign or len(foreign) < 5 or foreign not in page.text


def test_the_users_page_says_that_its_days_are_utc_until_it_knows_the_zone(bobs, shop):
    page = f"/apps/{shop.id}/users"
    assert "Signed up from (UTC)" in bobs.get(page).text
    bobs.client.set_cookie("tz", "Asia/Tokyo")
    assert "(UTC)" not in bobs.get(page).text


def test_an_export_says_by_whose_days_it_was_narrowed(alices, shop, session):
    alices.client.set_cookie("tz", "Asia/Tokyo")
    alices.post(f"/apps/{shop.id}/audit/export", {"format": "csv", "from": "2026-03-03"})

    taken = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.AUDIT_EXPORTED)).one()
    assert taken.details == {"format": "CSV", "from": "3 March 2026", "time_zone": "Asia/Tokyo"}
