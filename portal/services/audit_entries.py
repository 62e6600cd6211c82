"""What do the hashes of an audit entry cover, and does it fit them? (PII-07)"""

from typing import Any

from sqlalchemy import Connection, Row, Select
from sqlalchemy.orm import Session

from portal.core import audit_seals
from portal.core.audit_seals import FIRST_FORM, Link
from portal.models import AuditEntry, table
from portal.services import unreadable_rows
from portal.services.unreadable_rows import Unread

_ENTRY = table(AuditEntry)
_FACTS = (
    _ENTRY.c.id,
    _ENTRY.c.at,
    _ENTRY.c.actor_kind,
    _ENTRY.c.actor_id,
    _ENTRY.c.action,
    _ENTRY.c.user_id,
)
_TOLD = (_ENTRY.c.reason, _ENTRY.c.details)
_SEALS = (_ENTRY.c.sequence, _ENTRY.c.hash, _ENTRY.c.told_hash, _ENTRY.c.emptied)
# What a mark is made of, in every schema that has marks.
FOR_MARKS = (_ENTRY.c.app_id, *_SEALS, *_FACTS, *_TOLD)
COLUMNS = (*FOR_MARKS, _ENTRY.c.own_hash)
_NAMES = tuple(column.name for column in _FACTS)
_Entry = Row[*tuple[Any, ...]]
# How deep the details of an entry may be nested; ours are three levels deep.
_DEEPEST = 16


def read(session: Session | Connection, wanted: Select[*tuple[Any, ...]]) -> list[_Entry | Unread]:
    """The entries that `wanted` selects with these columns; one that nobody can read hides no other."""
    return unreadable_rows.rows(session, wanted, _ENTRY.c.id, _is_ours)


def _is_ours(entry: _Entry) -> bool:
    """Whether each value is of its kind: SQLite takes anything for a number, and bytes for a text."""
    has_number = entry.sequence is None or isinstance(entry.sequence, int)
    are_kinds = has_number and isinstance(entry.at, int) and bytes not in set(map(type, entry))
    return are_kinds and _is_flat(entry.details)


def _is_flat(details: object, levels: int = _DEEPEST) -> bool:
    """Whether JSON is nested so little that nobody fails to write it, wherever it was read."""
    if not isinstance(details, dict | list):
        return True
    inner = details.values() if isinstance(details, dict) else details
    return levels > 0 and all(_is_flat(each, levels - 1) for each in inner)


def told_of(key: bytes, chain_id: str, entry: _Entry) -> str:
    """The hash over an entry's reason and details, which its own hash covers in their place."""
    return audit_seals.of_told(key, chain_id, entry.id, entry.reason, entry.details)


def facts_of(entry: _Entry, told: str) -> dict[str, Any]:
    """What the hash of an entry covers beside its chain and its place."""
    return {name: getattr(entry, name) for name in _NAMES} | {"told": told}


def follows(key: bytes, chain_id: str, before: Link, entry: _Entry) -> bool:
    """Whether a sealed entry is the very one that was sealed after `before`."""
    sealed = audit_seals.of_entry(key, chain_id, before, facts_of(entry, entry.told_hash))
    return sealed == Link(entry.sequence, entry.hash)


def holds_alone(key: bytes, chain_id: str, entry: _Entry) -> bool:
    """Whether a sealed entry has the hash over itself that it was sealed with, whatever is before it."""
    place, facts = Link(entry.sequence, entry.hash), facts_of(entry, entry.told_hash)
    return bool(audit_seals.of_own(key, chain_id, place, facts) == entry.own_hash)


def is_empty(entry: _Entry) -> bool:
    """Whether an entry tells nothing but a deed, as it does once its user is erased."""
    return entry.user_id is not None and entry.reason is None and entry.details == {}


def told_before(key: bytes, chain_id: str, entry: _Entry) -> str | None:
    """The hash over what an entry told before an erasure emptied it; None where no erasure of ours did."""
    if not is_empty(entry):
        return None
    facts = facts_of(entry, entry.told_hash)
    return audit_seals.told_before(key, chain_id, facts, entry.emptied)


def kept_of(key: bytes, chain_id: str, entry: _Entry, form: int) -> str:
    """The hash over an entry of before a restart as it lay there then; an erasure leaves it as it is."""
    place, facts = Link(entry.sequence, entry.hash), facts_of(entry, entry.told_hash)
    before = told_before(key, chain_id, entry)
    told = before or told_of(key, chain_id, entry)
    if form == FIRST_FORM:
        # It took entries that are empty for whole; migration 0017 gave a mark to each that was.
        return audit_seals.of_kept_first(key, chain_id, place, facts, told == entry.told_hash)
    return audit_seals.of_kept(key, chain_id, place, facts, told)
