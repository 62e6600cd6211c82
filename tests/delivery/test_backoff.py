"""When is a message tried again?"""

import pytest

from portal.clock import MINUTE, SECOND
from portal.delivery import backoff

NOW = 1_795_000_000_000


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 3), (2, 9), (3, 27), (4, 81)])
def test_each_wait_is_three_times_the_one_before(attempts, seconds):
    assert backoff.wait_after(attempts, draw=0.0) == seconds * SECOND


def test_chance_takes_up_to_half_of_a_wait_away():
    assert backoff.wait_after(3, draw=1.0) == 13_500
    assert backoff.wait_after(3, draw=0.5) == 20_250


def test_a_code_with_a_minute_of_life_is_worth_sending_and_one_with_less_is_not():
    assert backoff.is_worth_sending(NOW, NOW + MINUTE)
    assert not backoff.is_worth_sending(NOW, NOW + MINUTE - 1)
