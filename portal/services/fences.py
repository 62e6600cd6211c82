"""Whose rows is this transaction about? The fence that PostgreSQL keeps below every query (TEN-03).

A door says it once, before it reads any credential; each transaction of its session then begins with it. The
policies are in models/app_fence.py. SQLite has none, and is told nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVarTuple

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection, Row, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction

from portal.models.app_fence import ALL_APPS, SETTING

# Where a session keeps what its transactions begin with.
_KEPT = "ringback_fence"
# Nothing else can be an app's ID, whatever a path or a header says; above all not what stands for all apps.
_ID = re.compile(r"[0-9A-Za-z_-]{1,36}", re.ASCII)
Columns = TypeVarTuple("Columns")
_SAY = f"SELECT set_config('{SETTING}', %s, true)"
_BEGIN_SAYING = f"BEGIN; SELECT set_config('{SETTING}', '%s', true)"


def stand(session: Session, app_id: str) -> None:
    """From now on the session sees and writes rows of this app only; no row, if this can be no app's ID."""
    _keep(session, app_id if _ID.fullmatch(app_id) else "")


def open_to_all(session: Session) -> None:
    """From now on the session sees rows of all apps: for what Ringback, its operator or an account does."""
    _keep(session, ALL_APPS)


@contextmanager
def lifted(session: Session) -> Iterator[None]:
    """Lets a few statements within one app's transaction look at all apps, such as the count of a cap."""
    before: str = session.info.get(_KEPT, "")
    _keep(session, ALL_APPS)
    try:
        yield
    except DBAPIError:
        # The transaction is over, and what it had said with it.
        session.info[_KEPT] = before
        raise
    except BaseException:
        _keep(session, before)
        raise
    _keep(session, before)


def first_anywhere(
    session: Session, statement: Select[*Columns], values: dict[str, Any]
) -> Row[*Columns] | None:
    """The first row that a statement gives over all apps, in the middle of one app's transaction."""
    with lifted(session):
        return session.execute(statement, values).first()


def say(connection: Connection, value: str) -> None:
    """Tells PostgreSQL whose rows the transaction under way on a connection is about: one statement."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_SAY, (value,))


def say_at_begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Begins each transaction of a session with what its door said; the session's `after_begin`."""
    value = session.info.get(_KEPT)
    # A savepoint is inside a transaction that has said it already.
    if value is not None and not transaction.nested and not _begin_saying(connection, value):
        say(connection, value)


def _begin_saying(connection: Connection, value: str) -> bool:
    """Begins a transaction and says the fence in one journey, past the driver, which makes two of it.

    False where it is begun already, or must be begun in a way of its own; the driver then does both.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "postgresql" or _is_special(driver):
        return False
    # Nothing but an app's ID or what stands for all apps is ever kept, so there is nothing to quote.
    # Where it fails the driver begins anew, and what goes wrong again is told as any statement's trouble.
    with suppress(psycopg.Error):
        if driver.pgconn.exec_((_BEGIN_SAYING % value).encode()).status == ExecStatus.TUPLES_OK:
            return True
        driver.pgconn.exec_(b"ROLLBACK")
    return False


def _is_special(driver: Any) -> bool:
    is_busy = driver.pgconn.transaction_status != TransactionStatus.IDLE
    return is_busy or driver.autocommit or _has_own_way(driver)


def _has_own_way(driver: Any) -> bool:
    ways = driver.isolation_level, driver.read_only, driver.deferrable
    return any(each is not None for each in ways)


def make_plain(driver: Any, _record: object) -> None:
    """Has a connection that somebody set up for one transaction begin the next one as all others; `checkin`.

    SQLAlchemy puts back what the server begins with by default, by its name, and no longer nothing at all.
    """
    if driver is not None and not driver.closed and _has_own_way(driver):
        driver.isolation_level = driver.read_only = driver.deferrable = None


def _keep(session: Session, value: str) -> None:
    if session.info.get(_KEPT) == value:
        return
    session.info[_KEPT] = value
    if session.in_transaction() and session.get_bind().dialect.name == "postgresql":
        say(session.connection(), value)
