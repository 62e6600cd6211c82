"""Is a chain of audit entries as it was written? Says of each entry what is wrong with it (PII-07)."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import MINUTE
from portal.core.audit_anchors import Anchor
from portal.models import INSTALLATION, App, AuditEntry
from portal.services import audit_chains, unreadable_rows
from portal.services.audit_reports import Report
from portal.services.audit_walks import Walk

# How long (ms) an entry may wait for the job that seals it.
PATIENCE = MINUTE


def ids(session: Session, anchors: Iterable[Anchor] = ()) -> list[str]:
    """The chains to look at: the installation's, every app's, and those that an anchor speaks of."""
    apps = unreadable_rows.texts(session, select(App.id))
    known = {INSTALLATION, *apps, *(each.chain for each in anchors)}
    return sorted(known, key=lambda chain: (chain != INSTALLATION, chain))


def check(session: Session, key: bytes, chain_id: str, now: int, anchors: Iterable[Anchor] = ()) -> Report:
    """Walks through one chain, from its oldest entry to its newest.

    `key` is the server's key for it. The session must see one moment from the first row to the last.
    """
    walk = Walk(key, chain_id, [each for each in anchors if each.chain == chain_id])
    walk.go_on(session)
    walk.report.unsealed = _waiting(session, audit_chains.app_of(chain_id), now)
    return walk.report


def _waiting(session: Session, app_id: str | None, now: int) -> int:
    waiting = select(func.count()).where(audit_chains.unsealed_of(app_id))
    return session.scalar(waiting.where(AuditEntry.at <= now - PATIENCE)) or 0
