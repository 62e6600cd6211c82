"""How many requests run at once? The others wait in line, so that few fight for the interpreter."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

# What a WSGI server calls, with its environment and the function that starts an answer.
WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Turnstile:
    """Lets a few threads through at a time, first come, first served.

    Python runs one thread at a time, so twenty threads that all want to run only take turns in small pieces,
    and each request takes as long as the slowest. A thread that only waits steps out meanwhile.
    """

    def __init__(self, places: int) -> None:
        """`places` threads are inside at once."""
        self._free = places
        self._lock = threading.Lock()
        self._line: deque[threading.Lock] = deque()
        self._mine = threading.local()

    def guard(self, app: WsgiApp) -> WsgiApp:
        """`app`, each of whose requests goes through this turnstile."""

        def through(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            self._enter()
            try:
                return app(environment, start_response)
            finally:
                self._leave()

        return through

    @contextmanager
    def stepped_out(self) -> Iterator[None]:
        """Gives the thread's place to another while it waits for something; outside, nothing happens."""
        if not getattr(self._mine, "is_inside", False):
            yield
            return
        self._leave()
        try:
            yield
        finally:
            self._enter()

    def _enter(self) -> None:
        turn = self._queue_up()
        if turn is not None:
            # Whoever leaves opens it, and hands the place over with it.
            turn.acquire()
        self._mine.is_inside = True

    def _queue_up(self) -> "threading.Lock | None":
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            turn = threading.Lock()
            turn.acquire()
            self._line.append(turn)
            return turn

    def _leave(self) -> None:
        self._mine.is_inside = False
        with self._lock:
            if self._line:
                self._line.popleft().release()
            else:
                self._free += 1
