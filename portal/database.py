"""How are rows reached? The Flask-SQLAlchemy extension, SQLite's pragmas, and the one place that commits."""

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from portal.errors import Refusal
from portal.models import Base
from portal.services.outbox import BELL

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:
    # Windows has no such lock; there, SQLite's own waiting must do between processes.
    fcntl = None

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False, "autoflush": True})

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}

# SQLite has one writer; who wants to write on it queues here. Engines of other databases have none.
_WRITERS: weakref.WeakKeyDictionary[Engine, AbstractContextManager[None]] = weakref.WeakKeyDictionary()


class WrongPragma(Exception):
    """SQLite did not take a setting that the durability of answers rests on (DAT-01)."""


@contextmanager
def transaction() -> Iterator[Session]:
    """One write transaction: commits once at the end, then rings the outbox bell if a message was put down.

    An exception rolls everything back and rings nothing, but for a refusal that keeps its changes. On SQLite
    the transaction takes the write lock at its start (BEGIN IMMEDIATE), so it never fails half-way for it.
    """
    session = db.session()
    # A read that came before would hold a snapshot in which this transaction could not write.
    session.rollback()
    with _WRITERS.get(db.engine, nullcontext()):
        session.connection(execution_options={"ringback_write": True})
        try:
            yield session
        except Refusal as refusal:
            _end(session, commit=refusal.keeps_changes)
            raise
        except BaseException:
            _end(session, commit=False)
            raise
        ring = session.info.get(BELL, False)
        _end(session, commit=True)
    if ring:
        _bell()


def reading() -> Session:
    """The session for a door that only reads."""
    return db.session()


def on_bell(ring: Callable[[], None]) -> None:
    """Ties the bell to whoever empties the outbox. The factory calls this."""
    global _bell
    _bell = ring


def prepare(engine: Engine) -> None:
    """Sets an engine up for its database; call once, before the first connection."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
        _WRITERS[engine] = _Writer(engine.url.database)


def _nobody_listens() -> None:
    """The bell is only a hint; without a listener the worker's next pass finds the rows."""


_bell: Callable[[], None] = _nobody_listens


def _end(session: Session, *, commit: bool) -> None:
    session.info.pop(BELL, None)
    try:
        if commit:
            session.commit()
    finally:
        session.rollback()


class _Writer(AbstractContextManager[None]):
    """The one writer of one SQLite file, over all threads and, where the system can, all processes.

    SQLite itself lets waiting writers sleep and try again, by luck and for ever longer. A lock of the
    system's wakes the next one at once, and is gone with a process that was killed. It only orders those
    who ask for it; what keeps two from writing is still SQLite's own lock.
    """

    def __init__(self, path: str | None) -> None:
        self._threads = threading.Lock()
        self._file: int | None = None
        if fcntl is not None and path not in (None, "", ":memory:"):
            self._file = os.open(f"{path}-writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            weakref.finalize(self, os.close, self._file)

    def __enter__(self) -> None:
        self._threads.acquire()
        self._lock_file("LOCK_EX")

    def __exit__(self, *_error: object) -> None:
        self._lock_file("LOCK_UN")
        self._threads.release()

    def _lock_file(self, operation: str) -> None:
        if fcntl is not None and self._file is not None:
            fcntl.flock(self._file, getattr(fcntl, operation))


def _set_pragmas(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself; `_begin` does, with the right kind.
    connection.isolation_level = None
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")
    for name, value in PRAGMAS.items():
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise WrongPragma(f"SQLite says {name} = {found}, not {value}. Is the file on a local disk?")


def _begin(connection: Any) -> None:
    write = connection.get_execution_options().get("ringback_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
