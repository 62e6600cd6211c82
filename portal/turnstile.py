"""How many requests run at once? The others wait in line, so that few fight for the interpreter."""

import io
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

    def guard(self, app: WsgiApp, largest_body: int) -> WsgiApp:
        """`app`, each of whose requests goes through this turnstile, its body (bytes at most) at hand."""

        def through(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            _have_body(environment, largest_body)
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


def _have_body(environment: dict[str, Any], largest: int) -> None:
    """Reads the body of a request before it takes a place: whoever sends it slowly holds up nobody else.

    One that is said to be larger than any door takes is left alone, because it is refused unread (WEB-10).
    """
    said = environment.get("CONTENT_LENGTH") or ""
    if said.isdecimal() and int(said) <= largest:
        most = int(said)
    elif not said and "HTTP_TRANSFER_ENCODING" in environment:
        # One byte more than is taken shows that it is too large.
        most = largest + 1
    else:
        return
    try:
        body = environment["wsgi.input"].read(most)
    except OSError:
        # The client is gone; what reads its body finds it cut off.
        body = b""
    environment["wsgi.input"] = io.BytesIO(body)
