"""When is a message tried again?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.clock import MINUTE, SECOND
from portal.delivery import backoff

NOW = 1_795_000_000_000


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 3), (2, 9), (3, 27), (4, 81)])
def test_each_wait_is_three_times_the_one_before(attempts, seconds):
    assert backoff.wait_after(attempts, draw=0.0) == seconds * SECOND


def test_chance_takes_up_to_half_of_a_wait_away():
    assert backoff.wait_after(3, draw=1.0) == 13_500
    assert backoff.wait_after(3, draw=0.5) == 20_250


def test_the_fifth_failure_is_the_last():
    assert backoff.next_try(4, NOW, NOW + 10 * MINUTE, 0.0) == NOW + 81 * SECOND
    assert backoff.next_try(5, NOW, NOW + 10 * MINUTE, 0.0) is None


def test_del_05_it_plans_no_try_that_could_only_send_a_dying_code():
    assert backoff.next_try(1, NOW, NOW + 63 * SECOND, 0.0) == NOW + 3 * SECOND
    assert backoff.next_try(1, NOW, NOW + 63 * SECOND - 1, 0.0) is None


def test_a_code_with_a_minute_of_life_is_worth_sending_and_one_with_less_is_not():
    assert backoff.is_worth_sending(NOW, NOW + MINUTE)
    assert not backoff.is_worth_sending(NOW, NOW + MINUTE - 1)


@given(attempts=st.integers(1, 9), life=st.integers(-MINUTE, 20 * MINUTE), draw=st.floats(0, 1))
def test_a_next_try_is_always_later_and_always_worth_it(attempts, life, draw):
    at = backoff.next_try(attempts, NOW, NOW + life, draw)
    assert at is None or (at > NOW and backoff.is_worth_sending(at, NOW + life))
