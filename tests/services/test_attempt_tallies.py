"""Tries are counted before they are made, each by itself, and forgotten in time (WEB-09)."""

import pytest
from sqlalchemy import select

from portal.errors import TooSoon
from portal.models import AttemptTally
from portal.services import attempt_tallies
from portal.services.attempt_tallies import ALLOWED, Tried
from tests.services.racing import race

DORA = "dora@example.com"


def take(desk, who: str = DORA, tried: Tried = Tried.PASSWORD) -> None:
    """One try."""
    desk.do(lambda ctx: attempt_tallies.take(ctx, tried, who))


@pytest.mark.parametrize("tried", Tried)
def test_web_09_the_try_after_the_last_allowed_one_is_refused_until_the_window_ends(desk, clock, tried):
    allowed, window = ALLOWED[tried]
    for _ in range(allowed):
        take(desk, tried=tried)
    with pytest.raises(TooSoon) as refused:
        take(desk, tried=tried)

    assert refused.value.next_allowed_at == clock.now() + window
    clock.at += window
    take(desk, tried=tried)


def test_each_person_and_each_thing_counts_by_itself(desk):
    for _ in range(ALLOWED[Tried.PASSWORD][0]):
        take(desk)
    take(desk, "emil@example.com")
    take(desk, tried=Tried.SECOND_FACTOR)
    with pytest.raises(TooSoon):
        take(desk, " DORA@example.com ")


def test_doing_it_right_begins_the_count_anew(desk):
    for _ in range(3):
        for _ in range(ALLOWED[Tried.PASSWORD][0]):
            take(desk)
        desk.do(lambda ctx: attempt_tallies.forgive(ctx, Tried.PASSWORD, DORA))


def test_enu_05_the_table_holds_no_address(desk):
    take(desk)
    [subject] = desk.rows(select(AttemptTally.subject))

    assert len(subject) == 64
    assert "dora" not in subject


@pytest.mark.parametrize("odd", ["\0", "\ud800", "x" * 10**5, "", "名前@例え.jp"])
def test_whatever_was_typed_is_counted(desk, odd):
    take(desk, odd)


def test_web_09_of_forty_tries_that_come_together_ten_pass(desk, settings):
    endings = race(settings, desk.app_id, [("try_password", DORA)] * 40, processes=2)

    assert endings == {"done": 10, "TooSoon": 30}


def test_first_tries_that_come_together_are_not_refused(desk, settings):
    calls = [("try_password", f"guest{place}@example.com") for place in range(8)] * 5
    endings = race(settings, desk.app_id, calls, processes=2)

    assert endings == {"done": 40}
