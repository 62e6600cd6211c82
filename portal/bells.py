"""How does a process hear that another one put a message down? A hint only: the rows are the truth.

On PostgreSQL it is NOTIFY, inside the transaction that puts the message down, and LISTEN on a connection of
the worker's own. NOTIFY lets only one transaction commit at a time, so a process that has just rung rings
once more a moment later, for all that it has put down since. Beside a SQLite file each worker has a pipe with
a name, which whoever commits writes to. A hint that is lost is made good by the worker's next look, a second
later. Behind a pooler that lends connections for one transaction nobody can listen, and looks more often.
"""

import os
import secrets
import select
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
import structlog
from sqlalchemy import URL, Engine, text
from sqlalchemy.orm import Session

from portal.services import poolers

_CHANNEL: Final = "ringback_outbox"
_NOTIFY: Final = f"NOTIFY {_CHANNEL}"
_LISTEN: Final = f"LISTEN {_CHANNEL}".encode()
_FOLDER: Final = "-bells"
_UNREAD: Final = "."
# The least time (s) between two rings of one process.
_PAUSE: Final = 0.05
# Waits (s): between looks whether the listening is over, and before a lost connection is made anew.
_LOOK_EVERY: Final = 1.0
_REST: Final = 2.0
# How often (s) somebody looks who cannot listen.
_LOOK_DEAF: Final = 0.25
# How long (s) a bell that is rung for trial may take.
_TRIAL: Final = 3.0

_log = structlog.get_logger()


def ring_within(session: Session) -> bool:
    """Adds the bell to a transaction of PostgreSQL, so that it rings exactly if and when that commits.

    False where it does not: the caller then rings after the commit.
    """
    engine = session.get_bind().engine
    if engine.dialect.name != "postgresql" or not _pace(engine).may_ring():
        return False
    session.execute(text(_NOTIFY))
    return True


def ring_after(engine: Engine) -> None:
    """Rings after a commit: on PostgreSQL in a moment, on a SQLite file at once. Never fails or waits."""
    if engine.dialect.name == "postgresql":
        _pace(engine).ring_soon(engine.url)
    else:
        _ring_pipes(engine.url)


class _Pace:
    """When a process rang last, and whether it is about to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = -_PAUSE
        self._next: threading.Timer | None = None

    def may_ring(self) -> bool:
        """Whether the last ring is long enough ago; if so, this is the next one, for all who waited."""
        with self._lock:
            now = time.monotonic()
            if now - self._last < _PAUSE:
                return False
            self._last = now
            if self._next is not None:
                self._next.cancel()
                self._next = None
            return True

    def ring_soon(self, address: URL) -> None:
        """Rings once in a moment, unless another message does so before."""
        with self._lock:
            if self._next is None:
                self._next = threading.Timer(2 * _PAUSE, self._ring, (address,))
                self._next.start()

    def _ring(self, address: URL) -> None:
        with self._lock:
            # Whoever commits from now on may be too late for this ring, and asks for another.
            self._next = None
        try:
            with _connected(address) as connection:
                connection.execute(_NOTIFY.encode())
        except psycopg.Error as error:
            _log.warning("bell_lost", error=type(error).__name__)


_PACES: "weakref.WeakKeyDictionary[Engine, _Pace]" = weakref.WeakKeyDictionary()


def _pace(engine: Engine) -> _Pace:
    return _PACES.setdefault(engine, _Pace())


def _connected(address: URL) -> psycopg.Connection:
    """A connection to PostgreSQL of its own, on which each statement commits."""
    _none, named = address.get_dialect()().create_connect_args(address)
    return psycopg.connect(autocommit=True, **{**named, **poolers.PATIENCE})


def _ring_pipes(address: URL) -> None:
    folder = _folder(address)
    if folder is None:
        return
    try:
        pipes = [pipe for pipe in folder.iterdir() if not pipe.name.startswith(_UNREAD)]
    except OSError:
        return
    for pipe in pipes:
        _write_to(pipe)


class Listener:
    """A thread that calls `ring` whenever another process rings. Where there is no bell, it does nothing."""

    def __init__(self, address: URL, ring: Callable[[], None]) -> None:
        self._address, self._ring = address, ring
        self._stopping, self._is_deaf = threading.Event(), False
        self._thread = threading.Thread(target=self._listen, name="bell", daemon=True)

    def start(self) -> None:
        """Starts listening beside the caller."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the listening, within about a second."""
        self._stopping.set()

    def _listen(self) -> None:
        if self._address.get_backend_name() == "postgresql":
            while not self._stopping.is_set() and not self._is_deaf:
                self._listen_on_connection()
            self._ring_by_the_clock()
        else:
            self._listen_on_pipe()

    def _listen_on_connection(self) -> None:
        try:
            with _connected(self._address) as connection:
                if poolers.is_lent(connection) and not self._is_kept(connection):
                    self._is_deaf = True
                    return
                connection.execute(_LISTEN)
                # Somebody may have rung while nobody listened.
                self._ring()
                while not self._stopping.is_set():
                    for _hint in connection.notifies(timeout=_LOOK_EVERY, stop_after=1):
                        self._ring()
        except psycopg.Error as error:
            # Its words may hold the address with the password.
            _log.warning("bell_lost", error=type(error).__name__)
            self._stopping.wait(_REST)

    def _ring_by_the_clock(self) -> None:
        while not self._stopping.wait(_LOOK_DEAF):
            self._ring()

    def _is_kept(self, connection: psycopg.Connection) -> bool:
        """Whether a pooler keeps one server's connection for us while we only listen: tried with a bell."""
        # A name of its own, for where it is not kept, whoever gets that connection next goes on listening.
        trial = f"ringback_trial_{secrets.token_hex(8)}"
        connection.execute(f"LISTEN {trial}".encode())
        with _connected(self._address) as other:
            other.execute(f"NOTIFY {trial}".encode())
        return any(True for _hint in connection.notifies(timeout=_TRIAL, stop_after=1))

    def _listen_on_pipe(self) -> None:
        folder = _folder(self._address)
        if folder is None:
            return
        pipe = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            self._read_from(pipe)
        except OSError as error:
            _log.warning("bell_lost", error=type(error).__name__)
        finally:
            pipe.unlink(missing_ok=True)

    def _read_from(self, pipe: Path) -> None:
        # A pipe that nobody reads is taken for one that was left behind, so it gets its name afterwards.
        unread = pipe.with_name(_UNREAD + pipe.name)
        os.mkfifo(unread, 0o600)
        # Opened for writing too, it never ends, however many writers come and go.
        end = os.open(unread, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            unread.rename(pipe)
            # Somebody may have rung while nobody listened.
            self._ring()
            while not self._stopping.is_set():
                ready, _, _ = select.select([end], [], [], _LOOK_EVERY)
                if ready and os.read(end, 4096):
                    self._ring()
        finally:
            os.close(end)


def _folder(address: URL) -> Path | None:
    is_file = address.get_backend_name() == "sqlite" and address.database not in (None, "", ":memory:")
    return Path(f"{address.database}{_FOLDER}") if is_file else None


def _write_to(pipe: Path) -> None:
    try:
        end = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        # Nobody reads it: its worker was killed, and left it behind.
        pipe.unlink(missing_ok=True)
        return
    try:
        os.write(end, b"!")
    except OSError:
        # It is full of hints that its worker has yet to read.
        pass
    finally:
        os.close(end)
