"""Which day does an address name? Days of the person's own calendar, written 2026-02-17."""

import re
from datetime import MAXYEAR, date

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(text: str) -> date | None:
    """A day as addresses hold it; None for what is none."""
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    # No day comes after the last one, where a range could end.
    return day if day is not None and day.year < MAXYEAR else None
