"""How many codes are checked in each app, and how many fail? Counted where sources are counted (OTP-06).

Only the counting store is asked, never the database; a failure that shows a spray is told to the caller, who
writes it down once.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from limits import RateLimitItemPerSecond
from limits.strategies import SlidingWindowCounterRateLimiter

from portal import clock
from portal.core import code_sprays
from portal.core.reasons import Reason
from portal.errors import TooSoon

# More than anybody can check; the count is what is left of it.
_WITHOUT_END: Final = 10**9
_CHECKS: Final = RateLimitItemPerSecond(_WITHOUT_END, code_sprays.WINDOW_S, "APP_CHECKS")
_FAILURES: Final = RateLimitItemPerSecond(_WITHOUT_END, code_sprays.WINDOW_S, "APP_FAILURES")
_SLOWLY: Final = RateLimitItemPerSecond(code_sprays.CHECKS_A_MINUTE, 60, "APP_CHECKS_SLOWED")

Ask = Callable[[Callable[[], Any]], Any]


class CheckRates:
    """The checks of codes in every app, as one process or all of them together count them."""

    def __init__(self, limiter: SlidingWindowCounterRateLimiter, ask: Ask) -> None:
        """`ask` puts a question to the store, and raises Busy when it is away."""
        self._limiter = limiter
        self._ask = ask
        # Until when (monotonic s) each app is slowed, as this process knows; a spray comes past all of them.
        self._slow_until: dict[str, float] = {}

    def take_turn(self, app_id: str) -> None:
        """Before a check in an app. Raises TooSoon where it is slowed and has had its turns, and Busy."""
        until = self._slow_until.get(app_id)
        if until is None:
            return
        if time.monotonic() >= until:
            self._slow_until.pop(app_id, None)
        elif not self._ask(lambda: self._limiter.hit(_SLOWLY, app_id)):
            raise self._too_soon(app_id)

    def note(self, app_id: str, *, failed: bool) -> bool:
        """After a check: counts it; whether this failure begins, or goes on, slowing the app. Raises Busy."""
        self._ask(lambda: self._limiter.hit(_CHECKS, app_id))
        if not failed:
            return False
        self._ask(lambda: self._limiter.hit(_FAILURES, app_id))
        if not code_sprays.is_spray(self._count(_CHECKS, app_id), self._count(_FAILURES, app_id)):
            return False
        was_slow = self._slow_until.get(app_id, 0.0) > time.monotonic() + code_sprays.SLOW_FOR_S / 2
        if not was_slow:
            self._slow_until[app_id] = time.monotonic() + code_sprays.SLOW_FOR_S
        return not was_slow

    def _count(self, item: RateLimitItemPerSecond, app_id: str) -> int:
        left = self._ask(lambda: self._limiter.get_window_stats(item, app_id).remaining)
        return item.amount - int(left)

    def _too_soon(self, app_id: str) -> TooSoon:
        reset = self._ask(lambda: self._limiter.get_window_stats(_SLOWLY, app_id).reset_time)
        until = max(round(reset * clock.SECOND), clock.now() + clock.SECOND)
        return TooSoon(Reason.APP_GUESS_LIMIT, Reason.APP_GUESS_LIMIT.sentence, until)
