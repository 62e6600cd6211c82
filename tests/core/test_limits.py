"""Sends and guesses are held back to the millisecond, and let through again to the millisecond."""

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import limits
from portal.core.limits import BENCH, DAY, DEFAULT, HOUR, SECOND, Profile, Refused, Tally
from portal.core.reasons import Reason

T = 1_800_000_000_000
ENDS = T + 600 * SECOND


def sent_at(*times: int) -> Tally:
    """A tally of these sends and nothing else."""
    return Tally(sent=times)


def spread(count: int, gap: int, last: int = T) -> tuple[int, ...]:
    """`count` times, `gap` ms apart, the newest at `last`."""
    return tuple(last - gap * place for place in reversed(range(count)))


@dataclass(frozen=True)
class Code:
    """A live code, by how often it was sent."""

    sends: int
    last_sent_at: int | None
    sends_allowed: int = 5
    code_expires_at: int = ENDS


def code_sent(sends: int, last: int | None, allowed: int = 5) -> Code:
    """A code that ends at ENDS, sent for the last time at `last`."""
    return Code(sends, last, allowed)


def again(sends: int, now: int, allowed: int = 5, profile: Profile = DEFAULT) -> Refused | None:
    """Whether a live code that was sent at T for the last time may be sent again at `now`."""
    return limits.may_send_again(code_sent(sends, T, allowed), now, profile)


# --- Sending a live code again ------------------------------------------------------------------------------


@pytest.mark.parametrize(("sends", "seconds"), [(1, 60), (2, 60), (3, 120), (4, 300)])
def test_abu_01_the_wait_after_each_send_ends_to_the_millisecond(sends, seconds):
    end = T + seconds * SECOND
    assert again(sends, T) == again(sends, end - 1) == Refused(Reason.RESEND_WAIT, end)
    assert again(sends, end) is None


def test_abu_01_the_fifth_send_is_the_last_until_the_code_ends():
    assert again(5, T + HOUR) == Refused(Reason.SENDS_USED_UP, ENDS)
    assert again(6, T) == Refused(Reason.SENDS_USED_UP, ENDS)


def test_where_more_sends_are_allowed_the_last_wait_goes_on():
    for sends in range(4, 10):
        assert again(sends, T + 300 * SECOND - 1, allowed=10) is not None
        assert again(sends, T + 300 * SECOND, allowed=10) is None


def test_a_code_that_never_went_out_may_go_at_once():
    for sends, last in ((0, None), (0, T), (1, None)):
        assert limits.may_send_again(code_sent(sends, last), T, DEFAULT) is None


def test_a_waiting_number_is_refused_for_its_own_code_first_then_for_guesses_then_for_the_number():
    guessed_at = Tally(sent=(T,), failed_guesses=spread(20, 1))
    refused = limits.may_resend(code_sent(1, T), guessed_at, T, DEFAULT)
    assert refused == again(1, T)
    assert limits.may_resend(None, guessed_at, T, DEFAULT) == limits.may_guess(guessed_at, T, DEFAULT)
    assert limits.may_resend(None, sent_at(T), T, DEFAULT) == limits.may_send_to_number(
        sent_at(T), T, DEFAULT
    )
    assert limits.may_resend(None, Tally(), T, DEFAULT) is None


def test_a_code_that_is_over_keeps_nobody_waiting():
    assert limits.may_resend(code_sent(5, T), Tally(), ENDS - 1, DEFAULT) is not None
    assert limits.may_resend(code_sent(5, T), Tally(), ENDS, DEFAULT) is None


# --- Sending to a number ------------------------------------------------------------------------------------


def test_abu_07_a_number_waits_a_minute_whatever_is_sent_to_it():
    until = T + 60 * SECOND
    assert limits.may_send_to_number(sent_at(T), until - 1, DEFAULT) == Refused(Reason.RESEND_WAIT, until)
    assert limits.may_send_to_number(sent_at(T), until, DEFAULT) is None
    assert limits.may_send_to_number(Tally(), T, DEFAULT) is None


def test_abu_01_ten_in_an_hour_are_the_limit_to_the_millisecond():
    ten = sent_at(*spread(10, 61 * SECOND))
    free_at = ten.sent[0] + HOUR
    assert limits.may_send_to_number(ten, free_at - 1, DEFAULT) == Refused(
        Reason.NUMBER_HOURLY_LIMIT, free_at
    )
    assert limits.may_send_to_number(ten, free_at, DEFAULT) is None
    assert limits.may_send_to_number(sent_at(*ten.sent[1:]), free_at - 1, DEFAULT) is None


def test_abu_01_twenty_in_a_day_are_the_limit_to_the_millisecond():
    twenty = sent_at(*spread(20, HOUR))
    free_at = twenty.sent[0] + DAY
    assert limits.may_send_to_number(twenty, free_at - 1, DEFAULT) == Refused(
        Reason.NUMBER_DAILY_LIMIT, free_at
    )
    assert limits.may_send_to_number(twenty, free_at, DEFAULT) is None


def test_where_hour_and_day_are_full_the_later_end_is_told():
    full = sent_at(*spread(10, 12 * HOUR // 10, T - HOUR), *spread(10, 60 * SECOND))
    refused = limits.may_send_to_number(full, T + 60 * SECOND, DEFAULT)
    assert refused == Refused(Reason.NUMBER_DAILY_LIMIT, full.sent[0] + DAY)
    assert limits.may_send_to_number(full, refused.until, DEFAULT) is None


# --- Guesses ------------------------------------------------------------------------------------------------


def test_otp_05_twenty_failed_guesses_close_a_number_for_a_day_to_the_millisecond():
    twenty = Tally(failed_guesses=spread(20, SECOND))
    free_at = twenty.failed_guesses[0] + DAY
    assert limits.may_guess(twenty, T, DEFAULT) == Refused(Reason.NUMBER_GUESS_LIMIT, free_at)
    assert limits.may_guess(twenty, free_at - 1, DEFAULT) is not None
    assert limits.may_guess(twenty, free_at, DEFAULT) is None
    assert limits.may_guess(Tally(failed_guesses=spread(19, SECOND)), T, DEFAULT) is None


def test_otp_05_a_right_code_forgives_guesses_and_no_sends():
    tally = Tally(sent=(T,), failed_guesses=spread(20, SECOND)).forgive()
    assert limits.may_guess(tally, T, DEFAULT) is None
    assert tally.sent == (T,)


def test_sends_do_not_count_as_guesses_nor_guesses_as_sends():
    assert limits.may_guess(sent_at(*spread(20, SECOND)), T, DEFAULT) is None
    assert limits.may_send_to_number(Tally(failed_guesses=spread(20, SECOND)), T, DEFAULT) is None


# --- Keeping the tally --------------------------------------------------------------------------------------


def test_a_failed_hand_over_frees_its_slot_and_only_that_one():
    tally = sent_at(T, T, T + 1)
    assert tally.unsend(T).sent == (T, T + 1)
    assert tally.unsend(T + 1).sent == (T, T)
    assert tally.unsend(T + 2) == tally


def test_what_is_a_day_old_is_forgotten_by_the_next_send_or_guess():
    old = Tally(sent=(T - DAY, T - DAY + 1), failed_guesses=(T - DAY, T - DAY + 1))
    assert old.send(T).sent == (T - DAY + 1, T)
    assert old.fail(T).failed_guesses == (T - DAY + 1, T)
    assert old.send(T).failed_guesses == old.failed_guesses


def test_nothing_stored_is_nothing_sent():
    assert limits.read_times("") == ()
    assert limits.write_times(()) == ""


def test_the_bench_profile_lifts_every_limit_and_the_default_none():
    full = Tally(sent=spread(99, 1), failed_guesses=spread(99, 1))
    assert limits.may_send_to_number(full, T, BENCH) is None
    assert limits.may_guess(full, T, BENCH) is None
    assert again(1, T, profile=BENCH) is None
    assert limits.may_send_to_number(full, T, DEFAULT) is not None


MOMENTS = st.lists(st.integers(T - 2 * DAY, T), max_size=60).map(lambda times: tuple(sorted(times)))
PROFILES = st.builds(
    Profile,
    waits_between_sends=st.lists(st.integers(0, HOUR), min_size=1, max_size=5).map(tuple),
    sends_per_hour=st.integers(1, 30),
    sends_per_day=st.integers(1, 60),
    failed_guesses_per_day=st.integers(1, 60),
)


@given(MOMENTS)
def test_stored_times_come_back_as_they_were(times):
    assert limits.read_times(limits.write_times(times)) == times


@given(MOMENTS, PROFILES)
def test_no_refusal_ends_in_the_past_and_hourly_and_daily_room_is_what_the_window_says(times, profile):
    refused = limits.may_send_to_number(sent_at(*times), T, profile)
    in_hour = sum(at > T - HOUR for at in times)
    in_day = sum(at > T - DAY for at in times)
    waits = bool(times) and times[-1] + profile.waits_between_sends[0] > T
    full = waits or in_hour >= profile.sends_per_hour or in_day >= profile.sends_per_day
    assert (refused is not None) == full
    assert refused is None or refused.until > T


@given(MOMENTS, PROFILES)
def test_whoever_comes_back_when_told_gets_further_and_at_last_through(times, profile):
    now, asked = T, 0
    while (refused := limits.may_send_to_number(sent_at(*times), now, profile)) is not None:
        assert refused.until > now
        now, asked = refused.until, asked + 1
        assert asked <= 3, "a wait, an hour and a day are all there is to wait for"


@given(MOMENTS, PROFILES)
def test_otp_05_guesses_are_open_again_exactly_when_told(times, profile):
    refused = limits.may_guess(Tally(failed_guesses=times), T, profile)
    if refused is None:
        assert sum(at > T - DAY for at in times) < profile.failed_guesses_per_day
    else:
        assert limits.may_guess(Tally(failed_guesses=times), refused.until - 1, profile) == refused
        assert limits.may_guess(Tally(failed_guesses=times), refused.until, profile) is None


@given(st.lists(st.integers(1, 2 * HOUR), min_size=1, max_size=80))
def test_abu_01_whatever_the_rhythm_no_window_ever_holds_more_than_allowed(gaps):
    tally, now, sent = Tally(), T, []
    for gap in gaps:
        now += gap
        if limits.may_send_to_number(tally, now, DEFAULT) is None:
            tally = tally.send(now)
            sent.append(now)
    for end in sent:
        assert sum(end - HOUR < at <= end for at in sent) <= 10
        assert sum(end - DAY < at <= end for at in sent) <= 20
    assert all(later - earlier >= 60 * SECOND for earlier, later in itertools.pairwise(sent))


@given(MOMENTS)
def test_sending_and_taking_back_leaves_what_was_remembered(times):
    tally = sent_at(*times)
    kept = tuple(at for at in times if at > T + 1 - DAY)
    assert tally.send(T + 1).unsend(T + 1).sent == kept
