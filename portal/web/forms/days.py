"""Which day does an address name? Days are those of UTC, written 2026-02-17."""

import re
from datetime import UTC, date, datetime

from portal.clock import SECOND

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(text: str) -> date | None:
    """A day as addresses hold it; None for what is none."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def starts_at(day: date) -> int:
    """The first moment of a day, Unix ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
