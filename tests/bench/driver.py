"""How fast does a server answer? Sends ready-made requests over kept connections and times each answer.

One thread and one selector, so that the driver leaves the cores to the server that it measures.
"""

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass, field

TIMEOUT_S = 30


@dataclass
class Outcome:
    """How one run went: answers by status, and how long each took (ms)."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times_ms: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.times_ms) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The time (ms) that `share` of the answers stayed under."""
        ordered = sorted(self.times_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Connection:
    """One client: sends a request, reads its answer, sends the next."""

    def __init__(self, port: int, requests: Iterator[bytes], outcome: Outcome) -> None:
        self._port, self._requests, self._outcome = port, requests, outcome
        self._buffer, self._must_close = b"", False
        self.socket = self._open()

    def _open(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT_S)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def send(self) -> bool:
        """Sends the next request; False when there is none left."""
        request = next(self._requests, None)
        if request is None:
            return False
        self._began = time.perf_counter()
        if self._must_close:
            # Some servers close a connection after an answer without a body; the next client pays for it.
            self.socket.close()
            self.socket = self._open()
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Takes in what has come; True once the answer is whole."""
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed a connection")
        self._buffer += received
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return False
        self._outcome.times_ms.append((time.perf_counter() - self._began) * 1000)
        self._outcome.statuses[int(head[9:12])] += 1
        self._must_close = b"\r\nconnection: close" in head.lower()
        self._buffer = b""
        return True


def run(
    port: int,
    requests: Sequence[bytes] | Iterator[bytes],
    clients: int,
    seconds: float = 3600,
    pause: float = 0.0,
) -> Outcome:
    """Sends `requests` over `clients` connections until they are used up or the time is.

    Each client waits `pause` seconds after an answer, as a person does; 0 is a client that never rests.
    """
    outcome, feed = Outcome(), iter(requests)
    selector, resting = selectors.DefaultSelector(), deque[tuple[float, Connection]]()
    began = time.perf_counter()
    resting.extend((began, Connection(port, feed, outcome)) for _ in range(clients))
    busy = 0
    while resting or busy:
        now = time.perf_counter()
        while resting and resting[0][0] <= now:
            connection = resting.popleft()[1]
            if now - began <= seconds and connection.send():
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                busy += 1
            else:
                connection.socket.close()
        wait = max(resting[0][0] - now, 0) if resting else TIMEOUT_S
        for key, _events in selector.select(wait) if busy else _rest(wait, resting):
            if key.data.receive():
                selector.unregister(key.data.socket)
                busy -= 1
                resting.append((time.perf_counter() + pause, key.data))
    outcome.seconds = time.perf_counter() - began
    return outcome


def _rest(wait: float, resting: Sized) -> tuple[()]:
    if resting:
        time.sleep(wait)
    return ()


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
