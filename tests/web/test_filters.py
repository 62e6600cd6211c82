"""Are times worded so that nobody wonders?"""

import pytest

from portal import clock
from portal.web import filters


@pytest.mark.parametrize(
    ("remaining", "words"),
    [
        (72 * clock.HOUR - clock.SECOND, "72 hours left"),
        (72 * clock.HOUR - 40 * clock.MINUTE, "71 hours left"),
        (clock.HOUR + clock.MINUTE, "1 hour left"),
        (9 * clock.MINUTE - clock.SECOND, "9 minutes left"),
        (30 * clock.SECOND, "less than a minute left"),
        (-clock.SECOND, "no time left"),
    ],
)
def test_the_time_left_is_the_one_that_was_promised_a_moment_ago(remaining, words):
    assert filters.left(clock.now() + remaining) == words


@pytest.mark.parametrize(
    ("remaining", "words"),
    [(3 * clock.MINUTE, "in 3 minutes"), (clock.SECOND, "in less than a minute"), (0, "now")],
)
def test_a_time_ahead_is_said_and_one_that_is_there_is_now(remaining, words):
    assert filters.ahead(clock.now() + remaining) == words
