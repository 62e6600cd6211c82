"""Is a chain of audit entries as it was written? Says of each entry what is wrong with it (PII-07)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from portal.clock import MINUTE
from portal.core import audit_seals
from portal.core.audit_anchors import Anchor
from portal.core.audit_seals import NOTHING_KEPT, Link
from portal.models import INSTALLATION, App, AuditAction, AuditEntry, Erasure
from portal.services import audit_chains, audit_sealing
from portal.services.audit_chains import Chain
from portal.services.audit_comparisons import Comparison

# How long (ms) an entry may wait for the job that seals it.
PATIENCE = MINUTE
_AT_ONCE = 1_000
_Entry = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Begun:
    """An entry that began the chain anew: its number, when (Unix ms), why, and what had been found."""

    sequence: int
    at: int
    reason: str
    found: str


@dataclass(slots=True)
class Report:
    """What was found of one chain: how many entries hold, what is wrong, and how many wait for too long.

    Where it was begun anew, `before` is what is wrong with what was there before, and what is said about
    heads outside that are from then.
    """

    chain: str
    entries: int = 0
    faults: list[str] = field(default_factory=list)
    unsealed: int = 0
    restarts: list[Begun] = field(default_factory=list)
    before: list[str] = field(default_factory=list)


def ids(session: Session, anchors: Iterable[Anchor]) -> list[str]:
    """The chains to look at: the installation's, every app's, and those that an anchor speaks of."""
    known = {INSTALLATION, *session.scalars(select(App.id)), *(each.chain for each in anchors)}
    return sorted(known, key=lambda chain: (chain != INSTALLATION, chain))


def check(session: Session, key: bytes, chain_id: str, now: int, anchors: Iterable[Anchor] = ()) -> Report:
    """Walks through one chain, from its oldest entry to its newest.

    `key` is the server's key for it. The session must see one moment from the first row to the last.
    """
    report = Report(chain_id)
    chain = audit_chains.find(session, chain_id)
    app_id = audit_chains.app_of(chain_id)
    mine = [each for each in anchors if each.chain == chain_id]
    report.unsealed = _waiting(session, app_id, now)
    if chain is None:
        report.faults += _without_chain(session, app_id, mine)
    else:
        if not chain.is_sealed_with(key):
            report.faults.append("the row that says where the chain begins and ends was changed")
        _walk(session, key, chain, report, mine)
    report.faults += _forged_restarts(session, app_id)
    return report


def entries_of(app_id: str | None) -> Select[*tuple[Any, ...]]:
    """The sealed entries of one chain, the oldest first."""
    entries = select(*audit_sealing.COLUMNS).where(audit_chains.of(app_id), AuditEntry.sequence.is_not(None))
    return entries.order_by(AuditEntry.sequence).execution_options(yield_per=_AT_ONCE)


def _walk(session: Session, key: bytes, chain: Chain, report: Report, anchors: Sequence[Anchor]) -> None:
    before, kept = chain.base, NOTHING_KEPT
    erased_at, comparison = _last_erasure(session, chain), Comparison(chain, anchors)
    report.faults += comparison.of_base()
    for row in session.execute(entries_of(chain.app_id)):
        is_old = chain.is_before_restart(row.sequence)
        told = report.before if is_old else report.faults
        if is_old:
            kept = audit_seals.with_kept(kept, [audit_sealing.kept_of(key, chain.id, row)])
        if row.sequence <= chain.base.sequence:
            told.append(f"entry {row.sequence} is back, which was removed for its age")
            continue
        is_next = row.sequence == before.sequence + 1
        if not is_next:
            is_gone_before = chain.is_before_restart(row.sequence - 1)
            gone = audit_seals.missing(before.sequence + 1, row.sequence - 1)
            (report.before if is_gone_before else report.faults).append(gone)
        faults = list(_faults(key, chain, before, row, erased_at))
        told += faults
        is_restart = row.action == AuditAction.AUDIT_CHAIN_RESTARTED
        report.entries += not faults and (is_next or is_restart)
        if is_restart and not faults:
            report.restarts.append(_begun(row))
        before = Link(row.sequence, row.hash)
        report.faults += comparison.of_entry(before)
    report.faults += _end(chain, before)
    report.faults += comparison.of_end()
    report.before += comparison.of_before()
    if chain.restart is not None and kept != chain.restart.kept:
        report.faults.append("the entries of before the restart are not as they were found then")


def _begun(row: _Entry) -> Begun:
    return Begun(row.sequence, row.at, row.reason or "", str(row.details.get("found", "")))


def _faults(key: bytes, chain: Chain, before: Link, row: _Entry, erased_at: int) -> Iterator[str]:
    named = f"entry {row.sequence} (id {row.id})"
    if row.action == AuditAction.AUDIT_CHAIN_RESTARTED:
        # It follows upon no other entry; only the key makes what it follows upon.
        if not _holds(key, chain, audit_seals.before_restart(key, chain.id, row.sequence - 1), row):
            yield f"{named} says that the chain was begun anew, and was changed or put there by somebody else"
    elif row.sequence != before.sequence + 1:
        return
    elif before.sequence and before.hash == audit_seals.START.hash:
        yield f"{named} cannot be compared: where the chain began is not known"
    elif not _holds(key, chain, before, row):
        yield f"{named} was changed, moved, or put in place of another"
    elif row.at > erased_at and _is_emptied(key, chain, row):
        yield f"{named} was emptied, and nobody was erased since"


def _holds(key: bytes, chain: Chain, before: Link, row: _Entry) -> bool:
    """Whether an entry is as it was sealed, but for what an erasure takes from it (PII-05)."""
    is_told = audit_sealing.told_of(key, chain.id, row) == row.told_hash
    return audit_sealing.follows(key, chain.id, before, row) and (is_told or audit_sealing.is_empty(row))


def _is_emptied(key: bytes, chain: Chain, row: _Entry) -> bool:
    return audit_sealing.is_empty(row) and audit_sealing.told_of(key, chain.id, row) != row.told_hash


def _last_erasure(session: Session, chain: Chain) -> int:
    """When somebody was erased from the chain's app last (Unix ms); 0 where nobody was."""
    last = select(func.max(Erasure.erased_at)).where(Erasure.app_id == chain.app_id)
    return session.scalar(last) or 0


def _end(chain: Chain, last: Link) -> Iterator[str]:
    if last.sequence < chain.head.sequence:
        yield f"{audit_seals.missing(last.sequence + 1, chain.head.sequence)}: the newest were cut off"
    elif last != chain.head:
        yield f"entry {last.sequence} is not the one that the chain ends with"


def _without_chain(session: Session, app_id: str | None, anchors: Sequence[Anchor]) -> Iterator[str]:
    sealed = select(func.count()).where(audit_chains.of(app_id), AuditEntry.sequence.is_not(None))
    if count := session.scalar(sealed):
        yield f"the row that says where the chain begins and ends is missing; sealed entries: {count}"
    if anchors:
        yield "the chain is missing, which the head outside tells of"


def _forged_restarts(session: Session, app_id: str | None) -> Iterator[str]:
    for entry in session.execute(audit_sealing.forged_restarts(app_id)):
        yield f"the entry with id {entry.id} says that the chain was begun anew, and no key sealed it"


def _waiting(session: Session, app_id: str | None, now: int) -> int:
    waiting = select(func.count()).where(audit_chains.of(app_id), AuditEntry.sequence.is_(None))
    return session.scalar(waiting.where(AuditEntry.at <= now - PATIENCE)) or 0
