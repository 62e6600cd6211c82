"""What does an erasure leave of an audit entry, and who else may empty one? Nobody without the key (PII-05).

What was done, by whom and when stays on record; masked numbers and typed reasons do not. In their place the
erasure leaves a mark: the keyed hash over what the entry told, sealed together with the entry's facts. So it
needs no chain, waits for none, and what was wrong about an entry before it was emptied stays known (PII-07).

What Ringbacks of before marks had emptied got its mark once, by migration 0017. An entry of the installation
says so: while it is there, that migration marks nothing more, though somebody takes the schema back.
"""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, exists, inspect, select, update

from portal.core import audit_seals
from portal.models import AuditAction, AuditEntry, table
from portal.services import audit, audit_entries
from portal.services.context import Context
from portal.services.unreadable_rows import Unread

_ENTRY = table(AuditEntry)
_NOTHING: dict[str, Any] = {"details": {}, "reason": None}
_EMPTY = (
    update(_ENTRY)
    .where(_ENTRY.c.app_id == bindparam("the_app"), _ENTRY.c.id == bindparam("the_id"))
    .values(**_NOTHING, emptied=bindparam("the_mark"))
)
_Entry = Row[*tuple[Any, ...]]


def empty(connection: Connection, key: bytes, app_id: str, user_id: str) -> int:
    """Empties what entries tell of a user of an app, and marks each; returns how many entries name them.

    `key` is the server's key for chains. One that is empty already keeps the mark that it has, or has not.
    """
    of_user = (_ENTRY.c.app_id == app_id, _ENTRY.c.user_id == user_id)
    # Whoever seals one of them at this moment is waited for, so that the mark is over its seal too.
    wanted = select(*audit_entries.FOR_MARKS).where(*of_user).order_by(_ENTRY.c.id).with_for_update()
    found = audit_entries.read(connection, wanted)
    marks = [
        {"the_app": app_id, "the_id": entry.id, "the_mark": _mark(key, app_id, entry)}
        for entry in found
        if isinstance(entry, Unread) or not audit_entries.is_empty(entry)
    ]
    if marks:
        connection.execute(_EMPTY, marks)
    return len(found)


def empty_restored(connection: Connection, key: bytes, app_id: str, user_id: str) -> int:
    """The same in a restored copy, whose schema may know no marks."""
    if _ENTRY.c.emptied.name in {each["name"] for each in inspect(connection).get_columns(_ENTRY.name)}:
        return empty(connection, key, app_id, user_id)
    of_user = (_ENTRY.c.app_id == app_id, _ENTRY.c.user_id == user_id)
    return connection.execute(update(_ENTRY).where(*of_user).values(_NOTHING)).rowcount


def say_that_they_are_marked(ctx: Context) -> None:
    """Has the installation's chain say that what is emptied has marks, where it does not, or does no more."""
    is_it = (AuditEntry.app_id.is_(None), AuditEntry.action == AuditAction.ERASURES_MARKED)
    if not ctx.session.scalar(select(exists().where(*is_it))):
        audit.record(ctx.in_app(""), AuditAction.ERASURES_MARKED)


def _mark(key: bytes, chain_id: str, entry: _Entry | Unread) -> str:
    if isinstance(entry, Unread):
        # It goes like any other; that nobody could read it stays known.
        return ""
    facts = audit_entries.facts_of(entry, entry.told_hash)
    return audit_seals.of_emptied(key, chain_id, facts, audit_entries.told_of(key, chain_id, entry))
