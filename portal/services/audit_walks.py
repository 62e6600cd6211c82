"""How is a chain of audit entries walked through? From its oldest on, whole or in portions (PII-07).

Between two portions entries are sealed, emptied by erasures and removed for their age, and the chain may be
begun anew. What moved is told by the chain's own row, which only the key seals.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from portal.core import audit_seals
from portal.core.audit_anchors import Anchor
from portal.core.audit_seals import NOTHING_KEPT, START, Link
from portal.models import AuditAction, AuditEntry
from portal.services import audit_chains, audit_entries, audit_faults, audit_reports, unreadable_rows
from portal.services.audit_chains import Chain
from portal.services.audit_comparisons import Comparison
from portal.services.audit_reports import Report
from portal.services.unreadable_rows import Unread, Unreadable

_AT_ONCE = 1_000
# How often a walk may have to begin again before that is a fault itself: nobody honest moves a chain back so.
_BEGINS = 10


def entries_of(app_id: str | None, after: int | None = None) -> Select[*tuple[Any, ...]]:
    """The sealed entries of one chain beyond the number `after`, the oldest first."""
    entries = select(*audit_entries.COLUMNS).where(audit_chains.of(app_id), AuditEntry.sequence.is_not(None))
    entries = entries.where(AuditEntry.sequence <= audit_faults.GREATEST)
    if after is not None:
        entries = entries.where(AuditEntry.sequence > after)
    return entries.order_by(AuditEntry.sequence)


class Walk:
    """A walk through one chain. `report` is what was found once it `is_over`."""

    def __init__(
        self, key: bytes, chain_id: str, anchors: Sequence[Anchor] = (), *, may_be_gone: bool = False
    ) -> None:
        """`key` is the server's key for chains; the anchors are of this chain.

        A chain that an anchor tells of and that is missing is a fault, unless it `may_be_gone` with its app.
        """
        self._key, self._id, self._anchors, self._may_be_gone = key, chain_id, anchors, may_be_gone
        self.report = Report(chain_id)
        self.is_over = False
        self._begins = 0
        self._chain: Chain | None = None
        # The last entry that was looked at, by its number and as a link, and the hash over those of before
        # a restart that were.
        self._after: int | None = None
        self._before, self._kept = START, NOTHING_KEPT

    def go_on(self, session: Session, most: int | None = None) -> int:
        """Looks at up to `most` entries more, or at all that are left; returns at how many.

        The session must see one moment from the first row to the last.
        """
        try:
            with unreadable_rows.told_apart():
                chain = audit_chains.find(session, self._id)
                self._keep_up(session, chain)
                return self._look(session, chain, most) if chain and not self.is_over else 0
        except Unreadable:
            self.report.faults.append(f"a row {audit_faults.NEVER_WRITTEN}, so the chain cannot be read")
            self.is_over = True
            return 0

    def head(self) -> Anchor | None:
        """Where the chain ended when it was looked at last; None where there is none."""
        chain = self._chain
        return None if chain is None else Anchor(chain.id, chain.head, chain.sealed_at)

    def _keep_up(self, session: Session, chain: Chain | None) -> None:
        was = self._chain
        if chain is None or was is None or not _went_on(self._key, was, chain):
            self._begin(session, chain)
            return
        self._chain = chain
        if chain.base == was.base:
            return
        if chain.base.sequence >= self._before.sequence:
            self._before, self._kept = chain.base, NOTHING_KEPT
            self._after = max(self._after or 0, chain.base.sequence)
        elif chain.restart is not None and was.restart is not None:
            # What was removed for its age had been walked through, and counts no longer.
            kept = audit_seals.with_kept(self._kept, [was.restart.kept], -1)
            self._kept = audit_seals.with_kept(kept, [chain.restart.kept])

    def _begin(self, session: Session, chain: Chain | None) -> None:
        self.report, self._chain = Report(self._id), chain
        self._begins += 1
        self._after, self._kept = None, NOTHING_KEPT
        faults, app_id = self.report.faults, audit_chains.app_of(self._id)
        if chain is None:
            self.is_over = True
            may_be_gone = self._may_be_gone and audit_faults.is_gone(session, app_id)
            is_outside = bool(self._anchors) and not may_be_gone
            faults += audit_faults.of_no_chain(session, app_id, is_known_outside=is_outside)
            faults += audit_faults.forged_restarts(session, app_id)
            faults += audit_faults.in_no_place(session, app_id)
            return
        self._before, self._comparison = chain.base, Comparison(chain, self._anchors)
        if not chain.is_sealed_with(self._key):
            faults.append("the row that says where the chain begins and ends was changed")
        elif self._begins > _BEGINS:
            self.is_over = True
            faults.append("the row that says where the chain begins and ends is moved back again and again")
        faults += self._comparison.of_base()

    def _look(self, session: Session, chain: Chain, most: int | None) -> int:
        count, wanted = 0, _AT_ONCE
        while wanted and not self.is_over:
            wanted = _AT_ONCE if most is None else min(_AT_ONCE, most - count)
            found = audit_entries.read(session, entries_of(chain.app_id, self._after).limit(wanted))
            for row in found:
                if isinstance(row, Unread):
                    self._pass_over(session, chain, row)
                else:
                    self._step(chain, row)
                    self._after = row.sequence
            count += len(found)
            if len(found) < wanted:
                self._end(session, chain)
        return count

    def _pass_over(self, session: Session, chain: Chain, row: Unread) -> None:
        its = select(AuditEntry.sequence).where(AuditEntry.id == row.id)
        # SQLite has numbers in between, too, in whose place no entry stands.
        place: Any = session.scalars(its).one()
        self._after = place
        told = self.report.before if chain.is_before_restart(place) else self.report.faults
        told.append(f"entry {place} (id {row.id}) {audit_faults.NEVER_WRITTEN}, so it cannot be read")
        if isinstance(place, int) and place > chain.base.sequence:
            self._name_gap(chain, place)
            self._before = Link(place, START.hash)

    def _name_gap(self, chain: Chain, place: int) -> None:
        if place != self._before.sequence + 1:
            is_gone_before = chain.is_before_restart(place - 1)
            gone = audit_seals.missing(self._before.sequence + 1, place - 1)
            (self.report.before if is_gone_before else self.report.faults).append(gone)

    def _step(self, chain: Chain, row: Row[*tuple[Any, ...]]) -> None:
        report, is_old = self.report, chain.is_before_restart(row.sequence)
        told = report.before if is_old else report.faults
        if chain.restart is not None and is_old:
            kept = audit_entries.kept_of(self._key, self._id, row, chain.restart.form)
            self._kept = audit_seals.with_kept(self._kept, [kept])
        if row.sequence <= chain.base.sequence:
            told.append(f"entry {row.sequence} is back, which was removed for its age")
            return
        self._name_gap(chain, row.sequence)
        faults = list(audit_faults.of_entry(self._key, chain, self._before, row))
        told += faults
        is_restart = row.action == AuditAction.AUDIT_CHAIN_RESTARTED
        report.entries += not faults
        if is_restart and not faults:
            report.restarts.append(audit_reports.begun(row))
        self._before = Link(row.sequence, row.hash)
        report.faults += self._comparison.of_entry(self._before)

    def _end(self, session: Session, chain: Chain) -> None:
        self.is_over = True
        self.report.faults += audit_faults.of_end(chain, self._before)
        self.report.faults += self._comparison.of_end()
        self.report.before += self._comparison.of_before()
        if chain.restart is not None and self._kept != chain.restart.kept:
            self.report.faults.append("the entries of before the restart are not as they were found then")
        self.report.faults += audit_faults.forged_restarts(session, chain.app_id)
        self.report.faults += audit_faults.in_no_place(session, chain.app_id)


def _went_on(key: bytes, was: Chain, chain: Chain) -> bool:
    """Whether a chain's row is as it was, or was moved on by sealing entries or removing old ones."""
    if chain == was:
        return True
    is_ours = chain.is_sealed_with(key) and was.is_sealed_with(key)
    is_on = chain.base.sequence >= was.base.sequence and chain.head.sequence >= was.head.sequence
    return is_ours and is_on and _begun_by(chain) == _begun_by(was)


def _begun_by(chain: Chain) -> tuple[int, int] | None:
    return None if chain.restart is None else (chain.restart.sequence, chain.restart.at)
