"""When is a message tried again? Ever longer waits, each with chance in it, and an end (DEL-06, DEL-08)."""

from portal.core.limits import LIFE_WORTH_SENDING, SECOND

MOST_ATTEMPTS = 5
_FIRST_WAIT = 3 * SECOND
_GROWTH = 3


def wait_after(attempts: int, draw: float) -> int:
    """The wait (ms) after so many failures in a row: at most 3, 9, 27 and 81 s.

    `draw` (0 to 1, by chance) takes up to half away, so that messages which failed together do not come back
    together.
    """
    longest = _FIRST_WAIT * int(_GROWTH ** (attempts - 1))
    return round(longest * (1 - draw / 2))


def is_worth_sending(at: int, useful_until: int) -> bool:
    """Whether an SMS that leaves at `at` still has life enough when it arrives."""
    return useful_until - at >= LIFE_WORTH_SENDING
