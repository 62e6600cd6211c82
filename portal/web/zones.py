"""In which time zone does this browser's person read? A script keeps its name in a cookie; UTC without it."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel.core import get_global
from flask import request

from portal import clock

COOKIE: Final = "tz"
_LONGEST: Final = 64


def zone() -> tzinfo:
    """The zone of whoever asks; UTC where the browser has not said it or this machine does not know it."""
    name = request.cookies.get(COOKIE, "")
    return _zone(name) if len(name) <= _LONGEST else UTC


def name() -> str:
    """What that zone is called: Asia/Tokyo, or UTC."""
    return str(zone())


def is_utc() -> bool:
    """Whether times are shown in UTC, which they then say."""
    return zone() is UTC


def local(at: int) -> datetime:
    """A stored time (Unix ms) as the person's clock shows it."""
    return clock.as_datetime(at).astimezone(zone())


def starts_at(day: date) -> int:
    """The first moment of a day of the person's calendar, Unix ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone()).timestamp()) * clock.SECOND


def ends_at(day: date) -> int:
    """The first moment after such a day, Unix ms: days are 23 or 25 hours long where clocks change."""
    return starts_at(day + timedelta(days=1))


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    """The zone of a name that somebody else wrote: only names of the list are ever looked for as files."""
    known = _names().get(name)
    if known in (None, "UTC", "Etc/UTC"):
        return UTC
    try:
        return ZoneInfo(known)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@cache
def _names() -> dict[str, str]:
    """The zones that this machine knows, by all their names.

    Browsers say Asia/Calcutta where some machines only know Asia/Kolkata, and the other way round.
    """
    names = {each: each for each in available_timezones()}
    aliases = get_global("zone_aliases").items()
    for alias, chief in aliases:
        if alias in names:
            names.setdefault(chief, names[alias])
    for alias, chief in aliases:
        if chief in names:
            names.setdefault(alias, names[chief])
    return names
