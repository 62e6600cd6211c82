"""Under which day does an event stand? Timelines in days, the newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from portal import clock
from portal.services.timeline_events import Event
from portal.web import zones


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the person's calendar, as its heading calls it, and what happened on it.

    `key` is its ISO date.
    """

    key: str
    title: str
    events: list[Event]


def by_day(events: Iterable[Event]) -> list[Day]:
    """Events that come newest first, in days that come newest first."""
    days = groupby(events, key=lambda event: zones.local(event.at).date())
    return [Day(day.isoformat(), _title(day), list(found)) for day, found in days]


def _title(day: date) -> str:
    today = zones.local(clock.now()).date()
    near = {today: "Today", today - timedelta(days=1): "Yesterday"}
    return near.get(day) or day.strftime("%A, %-d %B %Y")
