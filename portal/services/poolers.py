"""Does somebody stand between us and PostgreSQL who lends its connections, as PgBouncer does?

Behind such a pooler each transaction may reach another connection of the server, if not another server. What
was prepared on one is not there on the next, or is another statement of the same name, so nothing is
prepared; and the server's timeline is compared in every transaction (services/beginnings.py).
"""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import Connection

# A database that went away without a word is noticed, and not waited for (DAT-03): what was sent to it is not
# taken, or nobody is there while its answer is waited for. In s, but for the one in ms.
PATIENCE: Final[Mapping[str, int]] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
_ASK = b"SELECT pg_backend_pid()"
# Says of a pooled connection that a pooler stands before the server.
_LENT = "ringback_lent"


def meet(driver: Any, record: Any) -> None:
    """Looks at each new connection before anything is prepared on it; the pool's `connect`.

    Raises psycopg.Error where nobody answers.
    """
    try:
        found = is_lent(driver)
    except BaseException:
        # The pool never got to know it, and closes it no more.
        driver.close()
        raise
    if found:
        driver.prepare_threshold = None
        record.info[_LENT] = True


def is_lent(driver: Any) -> bool:
    """Whether a connection (psycopg's) leads to a pooler: whoever answers is not who greeted. One journey.

    A server says at the start which process answers there; a pooler says some other number, because it does
    not know yet. Raises psycopg.Error where nobody answers.
    """
    answer = driver.pgconn.exec_(_ASK)
    if answer.status != ExecStatus.TUPLES_OK:
        # A pooler lets us in before it has a server, and then finds none.
        raise psycopg.OperationalError(answer.error_message.decode(errors="replace").strip())
    return bool(int(answer.get_value(0, 0)) != driver.pgconn.backend_pid)


def is_between(connection: Connection) -> bool:
    """Whether a pooler stands before the server of this connection."""
    return _LENT in connection.info
