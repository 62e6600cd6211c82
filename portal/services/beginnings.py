"""How does a transaction begin, and how does it end? With its fence, said in BEGIN's own journey.

Behind a pooler a connection outlives its server, so there the journey also asks where it has led to. A
transaction that is rolled back, as each one that only reads is, leaves what is prepared on its connection.
"""

from contextlib import suppress
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, SessionTransaction

from portal.models.app_fence import SETTING
from portal.services import database_timelines, fences, poolers

_BEGIN_SAYING = f"BEGIN; SELECT set_config('{SETTING}', '%s', true)"
_IN_TRANSACTION = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
_ASKING = f"{_BEGIN_SAYING}, {database_timelines.HERE}"


# Says of a session that its statements are planned anew each time.
_PLANS_ANEW = "ringback_plans_anew"
_PREPARES_AFTER = 5


def plan_anew(session: Session) -> None:
    """From now on PostgreSQL plans each statement of the session for its very values.

    For what people look for: a term that many match wants another plan than one that nobody has.
    """
    session.info[_PLANS_ANEW] = True
    if session.in_transaction():
        _prepare(session, session.connection())


def say_at_begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """Begins each transaction of a session with what its door said; the session's `after_begin`.

    Raises OperationalError where a pooler leads to one server now and to another one then.
    """
    value = fences.kept(session)
    _prepare(session, connection)
    # A savepoint is inside a transaction that has said it already.
    if value is not None and not transaction.nested and not _begin_saying(connection, value):
        fences.say(connection, value)


def _prepare(session: Session, connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        is_never = session.info.get(_PLANS_ANEW, False) or poolers.is_between(connection)
        driver: Any = connection.connection.driver_connection
        driver.prepare_threshold = None if is_never else _PREPARES_AFTER


def roll_back(connection: Connection) -> None:
    """Rolls back past the driver, which would forget all that it has prepared; the engine's `rollback`.

    It does so for the sake of tables that are made in a transaction, and here none is. What fails is left to
    the driver, which comes after.
    """
    driver: Any = None if connection.invalidated else connection.connection.driver_connection
    if driver is not None and driver.pgconn.transaction_status in _IN_TRANSACTION:
        with suppress(psycopg.Error):
            driver.pgconn.exec_(b"ROLLBACK")


def _begin_saying(connection: Connection, value: str) -> bool:
    """Begins a transaction and says the fence in one journey, past the driver, which makes two of it.

    False where it is begun already, or must be begun in a way of its own; the driver then does both.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name != "postgresql" or _is_special(driver):
        return False
    if poolers.is_between(connection) and database_timelines.compared(connection):
        return _begin_where_we_are_known(connection, driver, value)
    return _begun(driver, _BEGIN_SAYING % value) is not None


def _begin_where_we_are_known(connection: Connection, driver: Any, value: str) -> bool:
    for _ in range(2):
        begun = _begun(driver, _ASKING % value)
        if begun is None:
            return False
        here = begun.get_value(0, 1)
        if here is not None and here.decode() == database_timelines.compared(connection):
            return True
        # One that broke is found to be so by the look that follows.
        with suppress(psycopg.Error):
            driver.rollback()
        if not database_timelines.settle(connection):
            # A standby, which writes nothing; whoever wants to is told so.
            return False
    raise OperationalError("BEGIN", None, psycopg.OperationalError("the pooler leads to two servers"))


def _begun(driver: Any, statement: str) -> psycopg.pq.abc.PGresult | None:
    # Nothing but an app's ID or what stands for all apps is ever kept, so there is nothing to quote.
    # Where it fails the driver begins anew, and what goes wrong again is told as any statement's trouble.
    with suppress(psycopg.Error):
        answer: psycopg.pq.abc.PGresult = driver.pgconn.exec_(statement.encode())
        if answer.status == ExecStatus.TUPLES_OK:
            return answer
        driver.pgconn.exec_(b"ROLLBACK")
    return None


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
