"""Who sends at the same time? A few threads that claim one after the other, at most half of them for one app.

One thread at a time leads: it waits for work, claims a message, lets the next thread lead, and sends. So a
message never waits in memory, its lease is all used for sending, and there are never more messages in hand
than threads. An app gets another thread only while it holds fewer than are free: a provider that is slow,
however slow, leaves threads for everybody else (DEL-09).
"""

import threading
from collections import Counter
from collections.abc import Callable

from portal.delivery import dispatch
from portal.delivery.dispatch import Post, Taken
from portal.delivery.turns import Turns

# After passes that failed, the next one waits ever longer, but not longer than this (s).
LONGEST_PAUSE = 30.0

Survived = Callable[[Callable[[], object]], bool]


class Senders:
    """`count` threads that empty the outbox until they are stopped."""

    def __init__(self, post: Post, count: int, pause: float, survived: Survived) -> None:
        """`pause` (s) is the longest sleep with a due message; `survived` runs work and says if it failed."""
        self._post, self._count, self._pause, self._survived = post, count, pause, survived
        self._leading, self._claiming, self._counting = (threading.Lock() for _ in range(3))
        self._bell, self._stopping = threading.Event(), threading.Event()
        self._turns, self._in_hand = Turns(), Counter[str]()
        self._left_somebody_out = False
        self.threads = [
            threading.Thread(target=self._work, name=f"sender-{at}", daemon=True) for at in range(count)
        ]

    def start(self) -> None:
        """Starts working beside the caller."""
        for thread in self.threads:
            thread.start()

    def ring(self) -> None:
        """Says that a message was put down. Never waits."""
        self._bell.set()

    def stop(self) -> None:
        """Lets no thread claim another message; what is being sent is finished."""
        self._stopping.set()
        self.ring()

    def empty(self) -> int:
        """Sends whatever is due now in the caller's thread; returns how many messages were taken up."""
        sent = 0
        while not self._stopping.is_set():
            if (taken := self._claim()) is None:
                break
            self._send(taken)
            sent += 1
        return sent

    def _work(self) -> None:
        while not self._stopping.is_set():
            with self._leading:
                taken = self._wait_for_work()
            if taken is not None:
                self._survived(lambda taken=taken: self._send(taken))  # type: ignore[misc]

    def _wait_for_work(self) -> Taken | None:
        found: list[Taken | None] = []
        pause = self._pause
        while not self._stopping.is_set():
            # Cleared before looking, so that a message which comes during the look rings again.
            self._bell.clear()
            if self._survived(lambda: found.append(self._claim())):
                pause = self._pause
                if (taken := found.pop()) is not None:
                    return taken
            else:
                pause = min(pause * 2, LONGEST_PAUSE)
            self._bell.wait(pause)
        return None

    def _claim(self) -> Taken | None:
        with self._claiming:
            self._left_somebody_out = False
            taken = dispatch.take_next(self._post, self._turns, self._may_take)
            if taken is not None:
                with self._counting:
                    self._in_hand[taken.claim.app_id] += 1
            return taken

    def _may_take(self, app_id: str) -> bool:
        with self._counting:
            free = self._count - self._in_hand.total()
            may = self._in_hand[app_id] < free
        self._left_somebody_out |= not may
        return may

    def _send(self, taken: Taken) -> None:
        try:
            dispatch.send(self._post, taken)
        finally:
            self._finish(taken.claim.app_id)

    def _finish(self, app_id: str) -> None:
        with self._counting:
            self._in_hand[app_id] -= 1
            if not self._in_hand[app_id]:
                del self._in_hand[app_id]
        if self._left_somebody_out:
            self.ring()
