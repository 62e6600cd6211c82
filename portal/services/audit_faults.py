"""What is wrong with one audit entry, or with the end of its chain? In words that name it (PII-07)."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import Session

from portal.core import audit_seals
from portal.core.audit_seals import Link
from portal.models import App, AuditAction, AuditEntry
from portal.services import audit_chains, audit_entries, audit_sealing, unreadable_rows
from portal.services.audit_chains import Chain
from portal.services.unreadable_rows import Unread

_Entry = Row[*tuple[Any, ...]]
# The greatest number that a column holds; whatever SQLite finds to be greater is no number.
GREATEST: Final = 2**63 - 1
NEVER_WRITTEN: Final = "holds what Ringback never writes"


def of_entry(key: bytes, chain: Chain, before: Link, row: _Entry) -> Iterator[str]:
    """What is wrong with an entry that comes after `before`, be that the one right before it or not."""
    named = f"entry {row.sequence} (id {row.id})"
    if row.action == AuditAction.AUDIT_CHAIN_RESTARTED:
        # It follows upon no other entry; only the key makes what it follows upon.
        before = audit_seals.before_restart(key, chain.id, row.sequence - 1)
        if not (audit_entries.follows(key, chain.id, before, row) and _tells_as_sealed(key, chain, row)):
            yield f"{named} says that the chain was begun anew, and was changed or put there by somebody else"
    elif _is_known(before) and row.sequence == before.sequence + 1:
        is_itself = audit_entries.follows(key, chain.id, before, row) and (
            row.own_hash is None or audit_entries.holds_alone(key, chain.id, row)
        )
        yield from _of_telling(key, chain, row, named) if is_itself else _changed(named)
    elif row.own_hash is not None:
        is_itself = audit_entries.holds_alone(key, chain.id, row)
        yield from _of_telling(key, chain, row, named) if is_itself else _changed(named)
    else:
        # Sealed by a Ringback that made no hash over an entry alone, or somebody took that hash away.
        yield f"{named} cannot be compared: what was right before it is not known"
        yield from _of_telling(key, chain, row, named)


def of_end(chain: Chain, last: Link) -> Iterator[str]:
    """What is wrong with a chain whose last entry is `last`."""
    if last.sequence < chain.head.sequence:
        yield f"{audit_seals.missing(last.sequence + 1, chain.head.sequence)}: the newest were cut off"
    elif last != chain.head:
        yield f"entry {last.sequence} is not the one that the chain ends with"


def of_no_chain(session: Session, app_id: str | None, *, is_known_outside: bool) -> Iterator[str]:
    """What is wrong where no row says that there is a chain."""
    is_in_hex = app_id is not None and unreadable_rows.is_in_hex(app_id)
    if is_in_hex and app_id in unreadable_rows.texts(session, select(App.id)):
        yield "the app has an ID that is no text, so its entries belong to no chain"
    sealed = select(func.count()).where(audit_chains.of(app_id), AuditEntry.sequence.is_not(None))
    if count := session.scalar(sealed):
        yield f"the row that says where the chain begins and ends is missing; sealed entries: {count}"
    if is_known_outside:
        yield "the chain is missing, which the head outside tells of"


def is_gone(session: Session, app_id: str | None) -> bool:
    """Whether an app is not there any more. The installation always is."""
    return app_id is not None and not session.scalar(select(exists().where(App.id == app_id)))


def forged_restarts(session: Session, app_id: str | None) -> Iterator[str]:
    """Entries that say that their chain was begun anew, and that nobody sealed."""
    for entry in audit_entries.read(session, audit_sealing.forged_restarts(app_id)):
        if not isinstance(entry, Unread):
            yield f"the entry with id {entry.id} says that the chain was begun anew, and no key sealed it"


def in_no_place(session: Session, app_id: str | None) -> Iterator[str]:
    """Entries that have no place in a chain, and get none: nobody can read them, or their number is none."""
    waiting = select(*audit_entries.COLUMNS).where(audit_chains.unsealed_of(app_id)).order_by(AuditEntry.id)
    for entry in audit_entries.read(session, waiting.limit(audit_sealing.BATCH)):
        if isinstance(entry, Unread):
            yield f"the entry with id {entry.id} {NEVER_WRITTEN}, so it is not sealed"
    odd = select(AuditEntry.id).where(audit_chains.of(app_id), AuditEntry.sequence > GREATEST)
    for entry_id in session.scalars(odd.order_by(AuditEntry.id)):
        yield f"the entry with id {entry_id} has something for a number that is none"


def _is_known(before: Link) -> bool:
    """Whether the hash is known of what an entry follows upon: it is not where the former entry was lost."""
    return before.sequence == 0 or before.hash != audit_seals.START.hash


def _changed(named: str) -> Iterator[str]:
    yield f"{named} was changed, moved, or put in place of another"


def _tells_as_sealed(key: bytes, chain: Chain, row: _Entry) -> bool:
    """Whether an entry tells what it was sealed with, or did until an erasure of ours emptied it."""
    now = audit_entries.told_of(key, chain.id, row)
    return row.told_hash in (now, audit_entries.told_before(key, chain.id, row))


def _of_telling(key: bytes, chain: Chain, row: _Entry, named: str) -> Iterator[str]:
    """What is wrong with what an entry tells beside the deed. Only the key makes the mark of an erasure."""
    if _tells_as_sealed(key, chain, row):
        return
    if not audit_entries.is_empty(row):
        yield from _changed(named)
    elif audit_entries.told_before(key, chain.id, row):
        yield f"{named} was changed before its user was erased"
    else:
        yield f"{named} was emptied, and not by an erasure"
