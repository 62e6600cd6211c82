"""How do several processes serve, and leave together? Under one parent, beside one worker (OPS-03)."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from portal.cli.installation import Installation
from portal.cli.one_process import END_WITHIN
from portal.config import Settings
from portal.process_files import LEAVING, PARENT

if TYPE_CHECKING:
    from granian.server import MPServer

# Restarting a worker that cannot live must not keep a whole core busy (s).
_REST = 2.0


def serve(installation: Installation, workers: int, say_where: Callable[[], None]) -> None:
    """Serves in `workers` processes until SIGTERM or Ctrl-C; one more process sends the messages."""
    from portal import config, keys

    settings = installation.settings
    keys.load(settings.home, refuses_placeholders=settings.production)
    config.divide_among(settings, workers)
    shared = Path(tempfile.mkdtemp(prefix="ringback-"))
    config.share_metrics(shared)
    (shared / PARENT).write_text(str(os.getpid()))
    _preload(installation)
    try:
        _serve(_listen(installation, settings, workers), settings, shared, say_where)
    finally:
        shutil.rmtree(shared, ignore_errors=True)


def _preload(installation: Installation) -> None:
    """Makes in the parent what all of its processes need, so that they share the memory of it."""
    installation.prepare()
    # A collector that walks what is shared would write to it, and so give each process a copy of its own.
    gc.collect()
    gc.freeze()


def _serve(server: "MPServer", settings: Settings, shared: Path, say_where: Callable[[], None]) -> None:
    worker = WorkerProcess() if settings.worker else None
    leaving = Leaving(server, worker, shared, settings.drain_seconds)
    # The server sets its own answer to SIGTERM first.
    server.on_startup(leaving.listen)
    say_where()
    try:
        server.serve()
    except SystemExit:
        # Ctrl-C reaches the server processes too, and one that ends a moment too early is no failure.
        if not server.interrupt_signal:
            raise
    if worker is not None:
        worker.stop()


def _listen(installation: Installation, settings: Settings, workers: int) -> "MPServer":
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import MPServer

    return MPServer(
        installation.app_target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings.threads,
        factory=True,
        log_level=LogLevels.error,
        workers_kill_timeout=int(END_WITHIN),
        respawn_failed_workers=True,
    )


class Leaving:
    """How the parent ends: its processes become unready, then they get time, then they are told to end."""

    def __init__(
        self, server: "MPServer", worker: "WorkerProcess | None", shared: Path, drain: float
    ) -> None:
        """`drain` is how long (s) requests are still taken; `shared` is the processes' common folder."""
        self._server = server
        self._worker = worker
        self._shared = shared
        self._drain = drain
        self._parent = os.getpid()

    def listen(self) -> None:
        """Answers SIGTERM from now on."""
        signal.signal(signal.SIGTERM, self._begin)

    def _begin(self, _number: int, _frame: FrameType | None) -> None:
        # A process that was forked a moment ago still has this answer of its parent's.
        if os.getpid() != self._parent:
            raise SystemExit(0)
        # Told first: once anybody can see that we leave, it claims nothing any more.
        if self._worker is not None:
            self._worker.tell_to_end()
        with suppress(FileExistsError):
            (self._shared / LEAVING).touch(exist_ok=False)
            threading.Timer(self._drain, self._server.signal_handler_interrupt).start()


class WorkerProcess:
    """A `portal worker` beside the server processes, started again if it should die."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process = self._begin()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def tell_to_end(self) -> None:
        """Lets the worker take no new message. Waits for nothing."""
        self._stopping.set()
        self._process.terminate()

    def stop(self) -> None:
        """Ends the worker, and waits until its sends under way are done."""
        self.tell_to_end()
        self._watcher.join()

    def _begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "portal", "worker", "--until-stdin-ends"]
        return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own program, no foreign words

    def _watch(self) -> None:
        self._process.wait()
        while not self._stopping.wait(_REST):
            self._process = self._begin()
            self._process.wait()
