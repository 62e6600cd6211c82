"""How much may come from one source? Counted in this process, or in Redis for all of them (ABU-02).

| budget | without its store |
|---|---|
| sign-ups and number changes, wrong codes, wrong sign-ins | refused with 503: never an acceptance (OTP-15) |
| calls of any kind | let through: other limits hold, and reading harms nobody |
"""

import threading
import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

import structlog
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from portal import clock
from portal.config import Settings
from portal.core import sources
from portal.core.limits import Refused
from portal.core.reasons import Reason
from portal.errors import Busy, TooSoon
from portal.services.check_rates import CheckRates

_MINUTE, _HOUR = 60, 3_600
# A store that is away is asked again after so long (s), and waited for so long.
_REST, _PATIENCE = 1.0, 0.5

_log = structlog.get_logger()

Answer = TypeVar("Answer")


class Budget(Enum):
    """What is counted: the setting that says how much, the window (s), and the reason of a refusal."""

    SENDS = "source_sends", _HOUR, Reason.SOURCE_SEND_LIMIT
    WRONG_CODES = "source_wrong_codes", 10 * _MINUTE, Reason.SOURCE_GUESS_LIMIT
    SIGN_INS = "source_sign_ins", 10 * _MINUTE, Reason.SIGN_IN_LIMIT
    CALLS = "source_calls", _MINUTE, Reason.SOURCE_CALL_LIMIT

    def __init__(self, setting: str, window: int, reason: Reason) -> None:
        self.setting = setting
        self.window = window
        self.reason = reason


class SourceLimits:
    """The budgets of one installation; in this process's memory, or in the Redis that processes share."""

    def __init__(self, settings: Settings) -> None:
        """The bench profile counts nothing."""
        self._is_off = settings.limits == "bench"
        self._proxies = settings.proxies
        self._items = {
            each: RateLimitItemPerSecond(getattr(settings, each.setting), each.window, each.name)
            for each in Budget
        }
        self._limiter = SlidingWindowCounterRateLimiter(_store(settings.redis_url))
        self._lock = threading.Lock()
        self._away_until = 0.0
        self._checks = CheckRates(self._limiter, self._ask)

    def source_of(self, environment: Mapping[str, object]) -> str:
        """The source of a request, by its WSGI environment."""
        peer = str(environment.get("REMOTE_ADDR", ""))
        return sources.source_of(peer, str(environment.get("HTTP_X_FORWARDED_FOR", "")), self._proxies)

    def spend(self, budget: Budget, of: str) -> None:
        """Takes one out of a source's budget. Raises TooSoon when it is used up, Busy without a store."""
        if not self._is_off and not self._ask(lambda: self._limiter.hit(self._items[budget], of)):
            raise self._too_soon(budget, of)

    def require_room(self, budget: Budget, of: str) -> None:
        """Raises TooSoon when a source's budget is used up, Busy without a store; takes nothing."""
        if not self._is_off and not self._ask(lambda: self._limiter.test(self._items[budget], of)):
            raise self._too_soon(budget, of)

    def note(self, budget: Budget, of: str) -> None:
        """Takes one out of a budget without refusing anything. Raises Busy without a store."""
        if not self._is_off:
            self._ask(lambda: self._limiter.hit(self._items[budget], of))

    def spend_call(self, of: str) -> None:
        """Takes one call out of a source's budget. Raises TooSoon; without a store everything passes."""
        try:
            self.spend(Budget.CALLS, of)
        except Busy:
            return

    def take_check(self, app_id: str) -> None:
        """Before a code is checked in an app (OTP-06). Raises TooSoon during a spray there, and Busy."""
        if not self._is_off:
            self._checks.take_turn(app_id)

    def note_check(self, app_id: str, *, failed: bool) -> bool:
        """Counts a check of a code in an app; whether its failure is news of a spray."""
        try:
            return not self._is_off and self._checks.note(app_id, failed=failed)
        except Busy:
            # The check is done and answered; the next one is refused while the store is away (OTP-15).
            return False

    def answers(self) -> bool:
        """Whether the store can be reached. For the doctor."""
        return bool(self._limiter.storage.check())

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        if time.monotonic() < self._away_until:
            raise _away()
        try:
            return question()
        except StorageError as error:
            self._note_away(error)
            raise _away() from None

    def _note_away(self, error: StorageError) -> None:
        with self._lock:
            if time.monotonic() >= self._away_until:
                _log.error("limits_store_away", error=type(error.storage_error).__name__)
            self._away_until = time.monotonic() + _REST

    def _too_soon(self, budget: Budget, of: str) -> TooSoon:
        reset = self._ask(lambda: self._limiter.get_window_stats(self._items[budget], of).reset_time)
        until = max(round(reset * clock.SECOND), clock.now() + clock.SECOND)
        return Refused(budget.reason, until).as_error()


def _store(redis_url: str) -> MemoryStorage | RedisStorage:
    if not redis_url:
        return MemoryStorage(wrap_exceptions=True)
    # Who needs no Redis does not load its client.
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # One try: a request that asks again and again would wait for the store's whole absence.
    options: dict[str, Any] = {
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
        "retry": Retry(NoBackoff(), 0),
    }
    return RedisStorage(redis_url, wrap_exceptions=True, key_prefix="ringback", **options)


def _away() -> Busy:
    return Busy("Limits cannot be counted just now, so nothing was done. Try again in a moment.")
