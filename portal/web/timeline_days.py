"""Under which day does an event stand? Timelines in days, the newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from portal import clock
from portal.services.timeline_events import Event


@dataclass(frozen=True, slots=True)
class Day:
    """A day (in UTC), as its heading calls it, and what happened on it. `key` is its ISO date."""

    key: str
    title: str
    events: list[Event]


def by_day(events: Iterable[Event]) -> list[Day]:
    """Events that come newest first, in days that come newest first."""
    days = groupby(events, key=lambda event: _key(event.at))
    return [_day(key, list(found)) for key, found in days]


def _day(key: str, events: list[Event]) -> Day:
    now = clock.now()
    near = {_key(now): "Today", _key(now - clock.DAY): "Yesterday"}
    return Day(key, near.get(key) or clock.as_datetime(events[0].at).strftime("%A, %-d %B %Y"), events)


def _key(at: int) -> str:
    return clock.as_datetime(at).strftime("%Y-%m-%d")
