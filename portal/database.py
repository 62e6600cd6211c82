"""How are rows reached? The Flask-SQLAlchemy extension, SQLite's pragmas, and the one place that commits."""

import fcntl
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal import bells
from portal.errors import Refusal
from portal.freshness import Freshness
from portal.models import Base
from portal.services import beginnings, bundles, database_timelines, poolers
from portal.services.bundles import Bundle
from portal.services.outbox import BELL

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False, "autoflush": True})
event.listen(db.session, "after_begin", beginnings.say_at_begin)

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}

# What PostgreSQL says to a write where it only reads: read_only_sql_transaction.
_READ_ONLY = "25006"

# SQLite has one writer; who wants to write on it queues here. Engines of other databases have none.
_WRITERS: "weakref.WeakKeyDictionary[Engine, _Writer]" = weakref.WeakKeyDictionary()


class WrongPragma(Exception):
    """SQLite did not take a setting that the durability of answers rests on (DAT-01)."""


@contextmanager
def transaction() -> Iterator[Session]:
    """One write transaction: commits once at the end, then rings the outbox bell if a message was put down.

    An exception rolls everything back and rings nothing, but for a refusal that keeps its changes. On SQLite
    the transaction takes the write lock (BEGIN IMMEDIATE) at its first statement that writes or locks a row,
    so it never fails half-way for it. What it read before may be stale by then, as it may on PostgreSQL.
    """
    session = db.session()
    # A read that came before would hold a snapshot in which this transaction could not write.
    session.rollback()
    with _turn_on(db.engine) as turn:
        bundle = Bundle() if turn is None else None
        session.connection(execution_options={"ringback_turn": turn, bundles.OPTION: bundle})
        try:
            yield session
            # A write whose refusal waits for it may refuse only now.
            _send_all(session)
            ring = session.info.get(BELL, False)
            is_rung = ring and bells.ring_within(session)
        except Refusal as refusal:
            _end(session, commit=refusal.keeps_changes)
            raise
        except BaseException:
            _end(session, commit=False)
            raise
        _end(session, commit=True, is_sent=True)
    if ring:
        _bell()
    if ring and not is_rung:
        bells.ring_after(db.engine)


def reading() -> Session:
    """The session for a door that only reads."""
    return db.session()


def on_bell(ring: Callable[[], None]) -> None:
    """Ties the bell to whoever empties the outbox. The factory calls this."""
    global _bell
    _bell = ring


def prepare(engine: Engine) -> None:
    """Sets an engine up for its database; call once, before the first connection."""
    event.listen(engine, "handle_error", _name_trouble, retval=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
        event.listen(engine, "before_cursor_execute", _lock_first)
        _WRITERS[engine] = _Writer(engine.url.database)
    else:
        event.listen(engine, "before_cursor_execute", _send_bundle)
        event.listen(engine, "savepoint", _send_bundle)
        event.listen(engine, "connect", poolers.meet)
        event.listen(engine, "checkout", Freshness(engine))
        event.listen(engine, "checkin", beginnings.make_plain)
        event.listen(engine, "rollback", beginnings.roll_back)
        event.listen(engine, "engine_connect", database_timelines.know)


def _nobody_listens() -> None:
    """The bell is only a hint; without a listener the worker's next pass finds the rows."""


_bell: Callable[[], None] = _nobody_listens


def _end(session: Session, *, commit: bool, is_sent: bool = False) -> None:
    session.info.pop(BELL, None)
    try:
        # What a refusal keeps has yet to go.
        if commit and not is_sent:
            _send_all(session)
        if commit:
            session.commit()
    finally:
        session.rollback()


def _send_all(session: Session) -> None:
    session.flush()
    _send_bundle(session.connection())


def _send_bundle(connection: Connection, *_event: object) -> None:
    bundle = bundles.of(connection)
    if bundle is not None:
        bundle.send(connection)


class _Turn(AbstractContextManager["_Turn"]):
    """One transaction's turn as SQLite's writer: it queues when it first writes, not while it only reads."""

    def __init__(self, writer: "_Writer") -> None:
        self._writer = writer
        self._is_taken = False

    def take(self, connection: Connection) -> None:
        """Waits for the turn and begins to write, once."""
        if not self._is_taken:
            self._writer.acquire()
            self._is_taken = True
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def __exit__(self, *_error: object) -> None:
        if self._is_taken:
            self._writer.release()


def _turn_on(engine: Engine) -> AbstractContextManager[_Turn | None]:
    writer = _WRITERS.get(engine)
    return nullcontext() if writer is None else _Turn(writer)


class _Writer:
    """The one writer of one SQLite file, over all threads and all processes.

    SQLite itself lets waiting writers sleep and try again, by luck and for ever longer. A lock of the
    system's wakes the next one at once, and is gone with a process that was killed. It only orders those
    who ask for it; what keeps two from writing is still SQLite's own lock.
    """

    def __init__(self, path: str | None) -> None:
        self._threads = threading.Lock()
        self._path = None if path in (None, "", ":memory:") else f"{path}-writer"
        # Opened by the first who writes: a file that was open before a fork would be locked for both.
        self._file: int | None = None

    def acquire(self) -> None:
        """Waits until nobody else writes."""
        self._threads.acquire()
        try:
            self._lock_file(fcntl.LOCK_EX)
        except BaseException:
            # The next one must not wait for a writer that never was.
            self._threads.release()
            raise

    def release(self) -> None:
        """Lets the next one write."""
        try:
            self._lock_file(fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _lock_file(self, operation: int) -> None:
        if self._path is None:
            return
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            weakref.finalize(self, os.close, self._file)
        fcntl.flock(self._file, operation)


def _name_trouble(context: ExceptionContext) -> OperationalError | None:
    """PostgreSQL's "read-only" (a standby, say, after a failover) is trouble that passes, as on SQLite."""
    original = context.original_exception
    if getattr(original, "sqlstate", None) != _READ_ONLY:
        return None
    return OperationalError(context.statement, None, original, hide_parameters=True)


def _set_pragmas(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself; `_begin` does, with the right kind.
    connection.isolation_level = None
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")
    for name, value in PRAGMAS.items():
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise WrongPragma(f"SQLite says {name} = {found}, not {value}. Is the file on a local disk?")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    # A transaction of ours begins when it first writes; reads before that each see what is newest.
    if options.get("ringback_turn") is None:
        write = options.get("ringback_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _lock_first(
    connection: Connection, _cursor: object, _sql: str, _values: object, context: Any, _many: bool
) -> None:
    turn = connection.get_execution_options().get("ringback_turn")
    if turn is not None and _writes_or_locks(context):
        turn.take(connection)


def _writes_or_locks(context: Any) -> bool:
    if context.compiled is None:
        return True
    statement = context.invoked_statement
    return not statement.is_select or getattr(statement, "_for_update_arg", None) is not None
