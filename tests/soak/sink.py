"""A carrier for the soak: a real HTTP server on loopback that notes every SMS and does as it is told."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Got:
    """One SMS as it came in; `at` is Unix time in s."""

    at: float
    path: str
    reference: str
    to: str
    text: str


class Sink:
    """Takes SMS at any path. `delay` (s) and `refuses` (a status) are asked for each by its path."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.delay: Callable[[str], float] = lambda _path: 0.0
        self.refuses: Callable[[str], int] = lambda _path: 0
        self._lock = threading.Lock()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                sink._answer(self, body)

            def log_message(self, *_about) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_about) -> None:
                """Clients are killed here, and hang up in mid-sentence."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        """Where a provider is to send to."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()

    def by_reference(self) -> dict[str, list[Got]]:
        """What came in, by the reference of its message."""
        found: dict[str, list[Got]] = defaultdict(list)
        with self._lock:
            for each in self.got:
                found[each.reference].append(each)
        return found

    def last_to(self, number: str) -> Got | None:
        """The newest SMS to a number."""
        with self._lock:
            return next((each for each in reversed(self.got) if each.to == number), None)

    def _answer(self, handler: BaseHTTPRequestHandler, body: dict) -> None:
        path = handler.path.strip("/")
        status = self.refuses(path)
        if not status:
            got = Got(time.time(), path, body["reference"], body["to"], body["text"])
            with self._lock:
                self.got.append(got)
        time.sleep(self.delay(path))
        answer = b'{"ok": true}'
        handler.send_response(status or 200)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)
