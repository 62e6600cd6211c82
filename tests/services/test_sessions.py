"""A portal session lives in a row: half an hour idle or half a day long at most, and ends for good."""

from hashlib import sha256

import pytest
from sqlalchemy import delete, select

from portal import clock
from portal.models import Account, AccountSession
from portal.services import accounts, sessions
from portal.services.sessions import Kept
from tests import factories
from tests.services.conftest import Desk

IDLE_S, LONGEST_S = 30 * 60, 12 * 3600


def open_new(desk: Desk, account_id: str | None = None, **values: object) -> str:
    """The key of a new session."""
    return desk.do(lambda ctx: sessions.open_new(ctx.session, values, account_id, ctx.now))


def read(desk: Desk, key: str) -> Kept | None:
    """What is kept under a key."""
    return desk.do(lambda ctx: sessions.read(ctx.session, key, ctx.now))


def write(desk: Desk, key: str, account_id: str | None = None, **values: object) -> bool:
    """Keeps other values."""
    return desk.do(lambda ctx: sessions.write(ctx.session, key, values, account_id, ctx.now))


@pytest.fixture
def dora(desk) -> str:
    """An account."""
    return desk.do(lambda ctx: accounts.create(ctx, "dora@example.com", "hash")).id


def test_a_session_gives_back_what_was_put_in(desk, clock):
    key = open_new(desk, theme="dark", nested={"a": [1, None, "é"]})
    kept = read(desk, key)
    assert kept == Kept(kept.id, {"theme": "dark", "nested": {"a": [1, None, "é"]}}, clock.now(), None)


def test_web_01_keys_are_long_random_and_kept_as_hashes_only(desk):
    keys = [open_new(desk) for _ in range(5)]
    assert len(set(keys)) == 5
    assert all(len(key) >= 43 for key in keys)
    stored = desk.rows(select(AccountSession.key_hash))
    assert set(stored) == {sha256(key.encode()).hexdigest() for key in keys}
    assert read(desk, stored[0]) is None


def test_web_01_a_key_that_was_never_given_out_opens_nothing_and_adopts_nothing(desk):
    for key in ("", "chosen", "\0", "\ud800", "x" * 10**5):
        assert read(desk, key) is None
        assert write(desk, key, planted=True) is False
    assert desk.rows(select(AccountSession)) == []


def test_web_02_half_an_hour_without_use_ends_a_session_to_the_millisecond(desk, clock):
    key = open_new(desk)
    clock.at += IDLE_S * 1000 - 1
    assert read(desk, key) is not None
    clock.at += 1
    assert read(desk, key) is None


def test_web_02_use_keeps_a_session_but_never_beyond_half_a_day(desk, clock):
    key, begun = open_new(desk), clock.now()
    while clock.now() - begun < (LONGEST_S - 60) * 1000:
        clock.advance(60 * 20 - 3)
        assert write(desk, key)
        if read(desk, key) is None:
            break
    assert clock.now() - begun >= LONGEST_S * 1000 - 20 * 60 * 1000
    clock.at = begun + LONGEST_S * 1000 - 1
    assert read(desk, key) is not None
    clock.at += 1
    assert read(desk, key) is None


def test_reading_alone_does_not_prolong(desk, clock):
    key = open_new(desk)
    for _ in range(29):
        clock.advance(60)
        assert read(desk, key) is not None
    clock.advance(60)
    assert read(desk, key) is None


def test_web_01_an_ended_session_stays_ended(desk):
    key, other = open_new(desk, a=1), open_new(desk, b=2)
    desk.do(lambda ctx: sessions.end(ctx.session, key))
    assert read(desk, key) is None
    assert write(desk, key, a=1) is False
    assert read(desk, key) is None
    assert read(desk, other) is not None


def test_signing_in_ties_a_session_to_an_account_and_its_end_ends_the_session(desk, dora):
    key = open_new(desk, dora)
    assert desk.rows(select(AccountSession.account_id)) == [dora]
    desk.do(lambda ctx: ctx.session.execute(delete(Account).where(Account.id == dora)))
    assert read(desk, key) is None


def test_a_session_that_is_written_keeps_the_new_values_and_account(desk, dora):
    key = open_new(desk, a=1)
    assert write(desk, key, dora, b=2)
    assert read(desk, key).values == {"b": 2}
    assert desk.rows(select(AccountSession.account_id)) == [dora]


def test_web_09_signing_in_proves_who_somebody_is_and_a_visit_does_not(desk, dora, clock):
    key, begun = open_new(desk, dora), clock.now()
    clock.advance(60)
    assert write(desk, key, dora)

    assert read(desk, key).confirmed_at == begun


def test_web_01_proving_it_again_renews_the_key(desk, dora, clock):
    key = open_new(desk, dora, a=1)
    clock.advance(60)
    fresh = desk.do(lambda ctx: sessions.confirm(ctx.session, key, ctx.now))

    assert read(desk, key) is None
    assert (read(desk, fresh).values, read(desk, fresh).confirmed_at) == ({"a": 1}, clock.now())
    assert desk.do(lambda ctx: sessions.confirm(ctx.session, key, ctx.now)) is None


def test_a_session_of_nobody_proves_nothing(desk):
    key = open_new(desk)

    assert desk.do(lambda ctx: sessions.confirm(ctx.session, key, ctx.now)) is None


def test_purging_removes_the_dead_and_only_them(desk, clock):
    open_new(desk)
    clock.advance(IDLE_S - 1)
    alive = open_new(desk)
    clock.advance(1)
    desk.do(lambda ctx: sessions.purge(ctx.session, ctx.now))
    assert desk.rows(select(AccountSession.key_hash)) == [sha256(alive.encode()).hexdigest()]
    clock.advance(IDLE_S)
    desk.do(lambda ctx: sessions.purge(ctx.session, ctx.now))
    assert desk.rows(select(AccountSession)) == []


@pytest.mark.parametrize("noun", ["invite", "password_reset", "attempt_tally"])
def test_purging_removes_links_and_counts_whose_time_is_over(desk, session, noun):
    ends = {"attempt_tally": "ends_at"}.get(noun, "expires_at")
    row = getattr(factories, noun)(session, **{ends: clock.now() + 1})
    desk.do(lambda ctx: sessions.purge(ctx.session, getattr(row, ends) - 1))
    assert session.query(type(row)).count() == 1
    desk.do(lambda ctx: sessions.purge(ctx.session, getattr(row, ends)))
    assert session.query(type(row)).count() == 0
