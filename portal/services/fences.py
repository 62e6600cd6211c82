"""Whose rows is this transaction about? The fence that PostgreSQL keeps below every query (TEN-03).

A door says it once, before it reads any credential; each transaction of its session then begins with it
(services/beginnings.py). The policies are in models/app_fence.py. SQLite has none, and is told nothing.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVarTuple

from sqlalchemy import Connection, Row, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.models.app_fence import ALL_APPS, SETTING

# Where a session keeps what its transactions begin with.
_KEPT = "ringback_fence"
# Nothing else can be an app's ID, whatever a path or a header says; above all not what stands for all apps.
_ID = re.compile(r"[0-9A-Za-z_-]{1,36}", re.ASCII)
Columns = TypeVarTuple("Columns")
_SAY = f"SELECT set_config('{SETTING}', %s, true)"


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


def kept(session: Session) -> str | None:
    """What the transactions of a session begin with; None where nobody said anything yet."""
    value: str | None = session.info.get(_KEPT)
    return value


def _keep(session: Session, value: str) -> None:
    if session.info.get(_KEPT) == value:
        return
    session.info[_KEPT] = value
    if session.in_transaction() and session.get_bind().dialect.name == "postgresql":
        say(session.connection(), value)
