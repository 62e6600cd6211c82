"""Is a chain of audit entries as it was written? Says of each entry what is wrong with it (PII-07)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from portal.clock import MINUTE
from portal.core import audit_seals
from portal.core.audit_anchors import Anchor
from portal.core.audit_seals import Link
from portal.models import INSTALLATION, App, AuditEntry, Erasure
from portal.services import audit_chains, audit_sealing
from portal.services.audit_chains import Chain

# How long (ms) an entry may wait for the job that seals it.
PATIENCE = MINUTE
_AT_ONCE = 1_000


@dataclass(slots=True)
class Report:
    """What was found of one chain: how many entries hold, what is wrong, and how many wait for too long."""

    chain: str
    entries: int = 0
    faults: list[str] = field(default_factory=list)
    unsealed: int = 0


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
    app_id = None if chain_id == INSTALLATION else chain_id
    report.unsealed = _waiting(session, app_id, now)
    if chain is None:
        report.faults += _without_chain(session, app_id, [each for each in anchors if each.chain == chain_id])
        return report
    if not chain.is_sealed_with(key):
        report.faults.append("the row that says where the chain begins and ends was changed")
    wanted = {each.link.sequence: each.link for each in anchors if each.chain == chain_id}
    report.faults += _walk(session, key, chain, report, wanted)
    report.faults += _beyond(chain, wanted.values())
    return report


def _walk(
    session: Session, key: bytes, chain: Chain, report: Report, anchored: dict[int, Link]
) -> Iterator[str]:
    before, erased_at = chain.base, _last_erasure(session, chain)
    yield from _compared(before, anchored)
    for row in session.execute(_entries(chain)):
        link = Link(row.sequence, row.hash)
        if link.sequence <= chain.base.sequence:
            yield f"entry {link.sequence} is back, which was removed for its age"
            continue
        if link.sequence != before.sequence + 1:
            yield _missing(before.sequence + 1, link.sequence - 1)
        elif not _holds(key, chain, before, row):
            yield f"entry {link.sequence} (id {row.id}) was changed, moved, or put in place of another"
        elif row.at > erased_at and _is_emptied(key, chain, row):
            yield f"entry {link.sequence} (id {row.id}) was emptied, and nobody was erased since"
        else:
            report.entries += 1
        yield from _compared(link, anchored)
        before = link
    yield from _end(chain, before)


def _holds(key: bytes, chain: Chain, before: Link, row: Row[*tuple[Any, ...]]) -> bool:
    """Whether an entry is as it was sealed, but for what an erasure takes from it (PII-05)."""
    facts = audit_sealing.facts_of(row, row.told_hash)
    is_itself = audit_seals.of_entry(key, chain.id, before, facts) == Link(row.sequence, row.hash)
    is_told = audit_sealing.told_of(key, chain.id, row) == row.told_hash
    return is_itself and (is_told or _is_empty(row))


def _is_empty(row: Row[*tuple[Any, ...]]) -> bool:
    return row.user_id is not None and row.reason is None and not row.details


def _is_emptied(key: bytes, chain: Chain, row: Row[*tuple[Any, ...]]) -> bool:
    return _is_empty(row) and audit_sealing.told_of(key, chain.id, row) != row.told_hash


def _last_erasure(session: Session, chain: Chain) -> int:
    """When somebody was erased from the chain's app last (Unix ms); 0 where nobody was."""
    last = select(func.max(Erasure.erased_at)).where(Erasure.app_id == chain.app_id)
    return session.scalar(last) or 0


def _entries(chain: Chain) -> Select[*tuple[Any, ...]]:
    entries = select(*audit_sealing.COLUMNS).where(
        audit_chains.of(chain.app_id), AuditEntry.sequence.is_not(None)
    )
    return entries.order_by(AuditEntry.sequence).execution_options(yield_per=_AT_ONCE)


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"


def _compared(link: Link, anchored: dict[int, Link]) -> Iterator[str]:
    anchor = anchored.get(link.sequence)
    if anchor is not None and anchor != link:
        yield f"entry {link.sequence} is not the one that the head outside tells of"


def _end(chain: Chain, last: Link) -> Iterator[str]:
    if last.sequence < chain.head.sequence:
        yield f"{_missing(last.sequence + 1, chain.head.sequence)}: the newest were cut off"
    elif last != chain.head:
        yield f"entry {last.sequence} is not the one that the chain ends with"


def _beyond(chain: Chain, anchored: Iterable[Link]) -> Iterator[str]:
    last = max((link.sequence for link in anchored), default=0)
    if last > chain.head.sequence:
        gone = _missing(chain.head.sequence + 1, last)
        yield f"{gone}, which the head outside tells of: the newest were cut off"


def _without_chain(session: Session, app_id: str | None, anchors: list[Anchor]) -> Iterator[str]:
    sealed = select(func.count()).where(audit_chains.of(app_id), AuditEntry.sequence.is_not(None))
    if count := session.scalar(sealed):
        yield f"the row that says where the chain begins and ends is missing; sealed entries: {count}"
    if anchors:
        yield "the chain is missing, which the head outside tells of"


def _waiting(session: Session, app_id: str | None, now: int) -> int:
    waiting = select(func.count()).where(audit_chains.of(app_id), AuditEntry.sequence.is_(None))
    return session.scalar(waiting.where(AuditEntry.at <= now - PATIENCE)) or 0
