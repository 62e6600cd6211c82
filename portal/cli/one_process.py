"""How does one process serve everything, and how does it leave? Unready first, then empty-handed (OPS-03)."""

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from portal import clock
from portal.cli.installation import Installation, Worker
from portal.config import LARGEST_BODY, Settings

if TYPE_CHECKING:
    from flask import Flask

# How long requests and sends under way may take to end (s).
END_WITHIN = 25.0
# A connection that has been quiet for so long (ms) brings no request that is on its way already.
_QUIET = clock.SECOND // 2
_LOOK_EVERY = 0.05


def serve(installation: Installation, say_where: Callable[[], None]) -> None:
    """Serves until SIGTERM or Ctrl-C; the worker sends beside it unless the settings say otherwise."""
    from portal import database

    settings, app = installation.settings, installation.app
    server = _listen(app, settings)
    worker = installation.make_worker() if settings.worker else None
    if worker is not None:
        database.on_bell(worker.ring)
        worker.start()
    watchman = app.extensions["watchman"]
    watchman.start()
    leaving = Leaving(server, worker, settings.drain_seconds)
    app.extensions["probes"].readiness.is_leaving = leaving.has_begun
    signal.signal(signal.SIGTERM, leaving.begin)
    say_where()
    server.run()
    watchman.stop()
    leaving.finish()


def _listen(app: "Flask", settings: Settings) -> Any:
    from waitress.server import create_server

    return create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=settings.threads,
        ident=None,
        # A larger body is refused before it fills the disk (WEB-10).
        max_request_body_size=LARGEST_BODY,
        # core/sources.py reads the one header that counts; the server itself believes none.
        clear_untrusted_proxy_headers=not settings.proxies,
    )


class Leaving:
    """How a server that was told to end does so: no request that reached it goes unanswered."""

    def __init__(self, server: Any, worker: Worker | None, drain: float) -> None:
        """`drain` is how long (s) requests are still taken, so that balancers notice."""
        self._server = server
        self._worker = worker
        self._drain = drain
        self._begun = threading.Event()
        self._is_hurried = False
        self._threads = [threading.Thread(target=self._leave, daemon=True)]
        if worker is not None:
            self._threads.append(threading.Thread(target=worker.stop, daemon=True))

    def has_begun(self) -> bool:
        """Whether this process is about to end."""
        return self._begun.is_set()

    def begin(self, _number: int, _frame: FrameType | None) -> None:
        """Answers SIGTERM: unready at once, no new claims; a second one ends the process as it is."""
        if self._begun.is_set():
            self._is_hurried = True
            raise SystemExit(0)
        self._begun.set()
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Ends what is left once the server has stopped, after Ctrl-C too."""
        self._server.task_dispatcher.shutdown()
        if self._is_hurried:
            return
        if self._begun.is_set():
            for thread in self._threads:
                thread.join(END_WITHIN)
        elif self._worker is not None:
            self._worker.stop()

    def _leave(self) -> None:
        until = time.monotonic() + self._drain + END_WITHIN
        time.sleep(self._drain)
        self._in_server(self._stop_listening)
        while self._server.active_channels and time.monotonic() < until:
            self._in_server(self._close_quiet_connections)
            time.sleep(_LOOK_EVERY)
        self._in_server(self._end)

    def _in_server(self, step: Callable[[], None]) -> None:
        # Connections belong to the server's own thread, which does this next.
        self._server.trigger.pull_trigger(step)

    def _stop_listening(self) -> None:
        server = self._server
        while self._accepts_one_more():
            pass
        server.accepting = False
        server.del_channel()
        server.socket.close()

    def _accepts_one_more(self) -> bool:
        # Who is in the system's line already was promised an answer.
        before = len(self._server.active_channels)
        self._server.handle_accept()
        return len(self._server.active_channels) > before

    def _close_quiet_connections(self) -> None:
        for channel in list(self._server.active_channels.values()):
            is_busy = channel.requests or channel.request is not None or channel.total_outbufs_len
            if not is_busy and channel.last_activity * clock.SECOND < clock.now() - _QUIET:
                channel.handle_close()

    def _end(self) -> None:
        # The server's loop runs as long as it has anything to look at.
        for each in list(self._server._map.values()):  # noqa: SLF001 - waitress has no other way to end its loop
            each.close()
        self._server._map.clear()  # noqa: SLF001
