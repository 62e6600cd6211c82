"""How is Ringback served? `portal serve`: one process that does everything, or several and a worker."""

import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from types import FrameType
from typing import NoReturn

import click

from portal.cli.installation import Installation
from portal.config import LARGEST_BODY, Settings

# Restarting a worker that cannot live must not keep a whole core busy (s).
_REST = 2.0


@click.command()
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
@click.pass_obj
def serve(installation: Installation, workers: int) -> None:
    """Serve the portal and the REST API, and send the messages, until it is stopped.

    One process does everything by default. With --workers N there are N server processes, and one more that
    sends the messages. With PORTAL_WORKER=false nothing is sent here: run `portal worker` too.

    \b
    Examples:
      portal serve
      PORTAL_HOST=0.0.0.0 PORTAL_PORT=80 portal serve --workers 4

    Exit codes: 0 stopped when told to, 1 refused to start.
    """
    if workers == 1:
        _serve_here(installation)
    else:
        _serve_in_processes(installation, workers)


def _serve_here(installation: Installation) -> None:
    from waitress.server import create_server

    from portal import database

    settings, app = installation.settings, installation.app
    _refuse_taken_port(settings)
    server = create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=settings.threads,
        ident=None,
        # A larger body is refused before it fills the disk (WEB-10).
        max_request_body_size=LARGEST_BODY,
        clear_untrusted_proxy_headers=True,
    )
    worker = installation.make_worker() if settings.worker else None
    if worker is not None:
        database.on_bell(worker.ring)
        worker.start()
    signal.signal(signal.SIGTERM, _end)
    _say_where(settings)
    server.run()
    server.close()
    if worker is not None:
        worker.stop()


def _serve_in_processes(installation: Installation, workers: int) -> None:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    from portal import config, keys

    settings = installation.settings
    installation.require_schema()
    keys.load(settings.home)
    config.divide_among(settings, workers)
    _refuse_taken_port(settings)
    server = Server(
        installation.app_target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings.threads,
        factory=True,
        log_level=LogLevels.error,
        workers_kill_timeout=25,
        respawn_failed_workers=True,
    )
    worker = _WorkerProcess() if settings.worker else None
    _say_where(settings)
    try:
        server.serve()
    except SystemExit:
        # Ctrl-C reaches the server processes too, and one that ends a moment too early is no failure.
        if not server.interrupt_signal:
            raise
    if worker is not None:
        worker.stop()


class _WorkerProcess:
    """A `portal worker` beside the server processes, started again if it should die."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._process = self._begin()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Ends the worker, and waits until its sends under way are done."""
        self._stopping.set()
        self._process.terminate()
        self._watcher.join()

    def _begin(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "portal", "worker", "--until-stdin-ends"]
        return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own program, no foreign words

    def _watch(self) -> None:
        self._process.wait()
        while not self._stopping.wait(_REST):
            self._process = self._begin()
            self._process.wait()


def _refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host} port {settings.port}"
            raise click.ClickException(
                f"Cannot listen on {where}: {error.strerror}. See PORTAL_HOST and PORTAL_PORT."
            ) from error


def _say_where(settings: Settings) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    click.echo(f"Ringback is at {settings.base_url or f'http://{host}:{settings.port}'} (Ctrl-C stops it)")
    sys.stdout.flush()


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # The server ends its requests in an orderly way when it meets this.
    raise SystemExit(0)
