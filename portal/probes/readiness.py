"""May a balancer send requests here? Database, schema and pragmas are looked at, within a second (OPS-01)."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime

import structlog
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from portal import database, revisions
from portal.services import database_timelines

# What a probe waits at most (s).
PATIENCE = 1.0

_log = structlog.get_logger()


class Readiness:
    """Looks on one thread of its own, so that a database which hangs holds up no probe and no second look."""

    def __init__(self, app: Flask, patience: float = PATIENCE) -> None:
        self._app = app
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, "readiness")
        self._look: Future[str] | None = None
        self._said = ""
        self.is_leaving: Callable[[], bool] = _never

    def is_ready(self) -> bool:
        """Whether requests can be answered here. Strangers learn no more than that; the log gets why not."""
        why = "shutting down" if self.is_leaving() else self._why_not()
        if why != self._said:
            _log.warning("not_ready" if why else "ready_again", why=why)
            self._said = why
        return not why

    def _why_not(self) -> str:
        # A look that still waits for a database is the one that all probes wait for.
        if self._look is None or self._look.done():
            self._look = self._thread.submit(self._find_fault)
        try:
            return self._look.result(self._patience)
        except NotInTime:
            return "the database takes longer than a second"

    def _find_fault(self) -> str:
        try:
            with self._app.app_context(), database.db.engine.connect() as connection:
                return _fault_of(connection)
        except (SQLAlchemyError, database.WrongPragma) as error:
            return f"the database does not answer ({type(error).__name__})"


def _fault_of(connection: Connection) -> str:
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found != revisions.needed():
        return f"the schema is {found}, not {revisions.needed()}"
    if connection.dialect.name == "sqlite":
        for name, value in database.PRAGMAS.items():
            if connection.scalar(text(f"PRAGMA {name}")) != value:
                return f"SQLite's {name} is not {value}"
    if database_timelines.reads_only(connection):
        return "the database takes no writes"
    return ""


def _never() -> bool:
    return False
