"""When do so many codes fail that somebody must be guessing? One guess each over many numbers (OTP-06)."""

from typing import Final

# Of so many checks of codes in one app within the window (s), more than so many percent failed.
WINDOW_S: Final = 600
CHECKS_AT_LEAST: Final = 200
FAILURES_OVER_PERCENT: Final = 80
# From then on so many codes a minute are checked in the app, till so long (s) after the last such failure.
CHECKS_A_MINUTE: Final = 20
SLOW_FOR_S: Final = 60


def is_spray(checks: int, failures: int) -> bool:
    """Whether so many failures among so many checks are a spray."""
    return checks >= CHECKS_AT_LEAST and 100 * failures > FAILURES_OVER_PERCENT * checks
