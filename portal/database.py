"""How are rows reached? The Flask-SQLAlchemy extension, SQLite's pragmas, and the one place that commits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from portal.errors import Refusal
from portal.models import Base
from portal.services.outbox import BELL

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False, "autoflush": True})

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}

# SQLite has one writer. Threads of this process queue here instead of sleeping in its busy handler.
_sqlite_writer = threading.Lock()


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
    with _writer(db.engine):
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


@contextmanager
def _writer(engine: Engine) -> Iterator[None]:
    if engine.dialect.name != "sqlite":
        yield
        return
    with _sqlite_writer:
        yield


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
