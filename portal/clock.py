"""What time is it? The only reader of the clock."""

import time
from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now() -> int:
    """The present as Unix time in milliseconds, the unit of every stored time."""
    return time.time_ns() // 1_000_000


def as_datetime(at: int) -> datetime:
    """A stored time (ms) as an aware UTC datetime, for showing."""
    return datetime.fromtimestamp(at / SECOND, UTC)
