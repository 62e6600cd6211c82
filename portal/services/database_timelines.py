"""Is this still the server that answered before? Notices that a standby of PostgreSQL took over (DAT-03).

An asynchronous standby may lack the last answers of the server that it replaces: a code that was used there
would work once more. A server says by its timeline that it took over. Each connection is compared with what
is remembered before it is lent to anybody, and whoever finds a difference first voids what is open.
"""

import structlog
from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from portal import clock
from portal.models import DatabaseTimeline, table
from portal.models.app_fence import ALL_APPS
from portal.services import fences, quarantine

_T = table(DatabaseTimeline)
# Where the server stands now, and whether the schema can remember it. A standby has no timeline of its own.
_LOOK = text("""
    SELECT to_regclass('database_timeline') IS NOT NULL,
        CASE WHEN pg_is_in_recovery() THEN NULL ELSE (pg_control_system()).system_identifier || '/'
            || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END
""")
_REMEMBERED = select(_T.c.name)

# What a server says that hides its timeline: insufficient_privilege, feature_not_supported and not_in_state.
_HIDDEN = ("42501", "0A000", "55000")

# Says of a pooled connection that its server was compared with the remembered one.
_KNOWN = "ringback_known"

_log = structlog.get_logger()


def know(connection: Connection) -> None:
    """Compares the server of a new pooled connection before anybody uses it; others cost no journey."""
    if _KNOWN in connection.info:
        return
    # Looking makes statements of its own, which are no reason to look again.
    connection.info[_KNOWN] = True
    try:
        is_known = settle(connection)
    except BaseException:
        connection.info.pop(_KNOWN, None)
        # Nobody was given the connection who could hand it back.
        connection.close()
        raise
    if not is_known:
        connection.info.pop(_KNOWN, None)


def settle(connection: Connection) -> bool:
    """Whether the server is the remembered one, which it is once this has voided what is open.

    False for a standby that did not take over yet: ask again before the connection is used the next time.
    A managed server that hides its timeline is taken for the one before, and the log says so. Commits, or
    rolls back; nobody may have begun anything on the connection.
    """
    try:
        can_remember, here = connection.execute(_LOOK).one()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _HIDDEN:
            raise
        _log.warning("database_timeline_hidden")
        return True
    else:
        if can_remember and here is not None:
            _compare(connection, here)
        return here is not None
    finally:
        connection.rollback()


def _compare(connection: Connection, here: str) -> None:
    remembered = connection.scalar(_REMEMBERED)
    if remembered == here:
        return
    if remembered is None:
        connection.execute(postgresql.insert(_T).values(id=1, name=here).on_conflict_do_nothing())
        connection.commit()
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
        connection.commit()
        _log.warning("database_switched", codes_voided=ended["verifications"])


def switched_since(connection: Connection, since: int) -> bool:
    """Whether another server took over after `since` (Unix ms)."""
    found = select(_T.c.id).where(_T.c.switched_at > since)
    return connection.scalar(found) is not None
