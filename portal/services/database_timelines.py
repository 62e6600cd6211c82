"""Is this still the server that answered before? Notices that a standby of PostgreSQL took over (DAT-03).

An asynchronous standby may lack the last answers of the server that it replaces: a code that was used there
would work once more. A server says by its timeline that it took over. Each connection is compared with what
is remembered before it is lent to anybody, and whoever finds a difference first voids what is open.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import structlog
from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, OperationalError

from portal import clock
from portal.models import DatabaseTimeline, table
from portal.models.app_fence import ALL_APPS
from portal.services import fences, quarantine

_T = table(DatabaseTimeline)
# Where the server stands now. A standby has no timeline of its own.
HERE = """CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_control_system()).system_identifier || '/'
    || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END"""
# The same, and whether the schema can remember it.
_LOOK = text(f"SELECT to_regclass('database_timeline') IS NOT NULL, {HERE}")
_REMEMBERED = select(_T.c.name)

# What a server says that hides its timeline: insufficient_privilege, feature_not_supported and not_in_state.
_HIDDEN = ("42501", "0A000", "55000")

_FORMER = "this PostgreSQL server was replaced by another one, and must not be asked any more"

# Says of a pooled connection with which timeline its server was compared; empty where that is hidden.
_KNOWN = "ringback_known"

# The newest timeline that this process has met on each server's number.
_newest: dict[str, int] = {}

_log = structlog.get_logger()


def know(connection: Connection) -> None:
    """Compares the server of a new pooled connection before anybody uses it; others cost no journey."""
    if _KNOWN in connection.info:
        return
    # Looking makes statements of its own, which are no reason to look again.
    connection.info[_KNOWN] = ""
    try:
        settle(connection)
    except BaseException:
        connection.info.pop(_KNOWN, None)
        # Nobody was given the connection who could hand it back.
        connection.close()
        raise
    connection.rollback()


def compared(connection: Connection) -> str:
    """The timeline with which a connection's server was compared; empty where nobody can tell."""
    known: str = connection.info.get(_KNOWN, "")
    return known


def settle(connection: Connection) -> bool:
    """Whether the server is the remembered one, which it is once this has voided what is open.

    False for a standby that did not take over yet: ask again before the connection is used the next time.
    A managed server that hides its timeline is taken for the one before, and the log says so. Commits or
    rolls back below SQLAlchemy; nobody may have sent anything on the connection. Raises OperationalError for
    a server that another one took over from, which somebody started again.
    """
    driver: Any = connection.connection.driver_connection
    try:
        can_remember, here = connection.execute(_LOOK).one()
        if can_remember and here is not None:
            _refuse_former(here)
            _compare(connection, here, driver.commit)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _HIDDEN:
            raise
        _log.warning("database_timeline_hidden")
        here = ""
    except psycopg.Error as error:
        raise OperationalError("COMMIT", None, error) from error
    finally:
        # One that broke has nothing left to undo.
        with suppress(psycopg.Error):
            driver.rollback()
    if here is None:
        connection.info.pop(_KNOWN, None)
        return False
    connection.info[_KNOWN] = here
    return True


def _refuse_former(here: str) -> None:
    """Refuses a server that was the primary before the one that this process has met since.

    It would answer out of rows that no longer count: a used code would work once more, an SMS leave twice.
    """
    server, _slash, timeline = here.partition("/")
    found = int(timeline, 16)
    if found < _newest.setdefault(server, found):
        _log.error("database_is_former", timeline=found, newest=_newest[server])
        raise OperationalError("", None, psycopg.OperationalError(_FORMER))
    _newest[server] = found


def _compare(connection: Connection, here: str, commit: Callable[[], None]) -> None:
    remembered = connection.scalar(_REMEMBERED)
    if remembered == here:
        return
    if remembered is None:
        connection.execute(postgresql.insert(_T).values(id=1, name=here).on_conflict_do_nothing())
        commit()
        return
    now = clock.now()
    # Whoever comes second waits here for the first, and finds that nothing is left to be done.
    switched = connection.execute(
        update(_T).where(_T.c.id == 1, _T.c.name == remembered).values(name=here, switched_at=now)
    )
    if switched.rowcount:
        # The codes of every app are voided.
        fences.say(connection, ALL_APPS)
        ended = quarantine.end_open(connection, now)
        commit()
        _log.warning("database_switched", codes_voided=ended["verifications"])


def reads_only(connection: Connection) -> bool:
    """Whether the server takes no writes: a standby, or a database that is set to be read only."""
    if connection.dialect.name != "postgresql":
        return False
    return bool(connection.scalar(text("SHOW transaction_read_only")) == "on")


def switched_since(connection: Connection, since: int) -> bool:
    """Whether another server took over after `since` (Unix ms)."""
    found = select(_T.c.id).where(_T.c.switched_at > since)
    return connection.scalar(found) is not None
