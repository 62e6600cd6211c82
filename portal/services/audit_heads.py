"""How do the ends of the chains come to lie outside the database? They are logged once an hour (PII-07)."""

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.audit_anchors import LOGGED, Anchor
from portal.models import AuditEntry
from portal.services import audit_chains, audit_checks, emptied_entries
from portal.services.audit_chains import Chain
from portal.services.context import Context

_log = structlog.get_logger()


class BrokenChains(Exception):
    """Chains were tampered with in a way that is seen without walking through them."""


def told(chain: Chain) -> dict[str, object]:
    """The end of a chain, as it is kept outside; `sealedAt` is Unix ms."""
    return told_of(Anchor(chain.id, chain.head, chain.sealed_at))


def told_of(anchor: Anchor) -> dict[str, object]:
    """The same of where a chain ended once."""
    link = anchor.link
    return {"app": anchor.chain, "sequence": link.sequence, "hash": link.hash, "sealedAt": anchor.sealed_at}


def tell(ctx: Context) -> int:
    """Logs where each chain ends. Whoever collects the log holds the anchors. A job's verb.

    Raises BrokenChains, once all are told, where a chain cannot be read, its seal is not ours, or entries
    wait to be sealed for longer than they should: the job's failure is an alarm.
    """
    emptied_entries.say_that_they_are_marked(ctx)
    is_broken = unsealed(ctx.session, ctx.now) > 0
    chains, unread = audit_chains.every(ctx.session)
    for chain in chains:
        _log.info(LOGGED, **told(chain))
        is_broken = is_broken or not chain.is_sealed_with(ctx.keys.audit)
    if is_broken or unread:
        raise BrokenChains
    return 0


def unsealed(session: Session, now: int) -> int:
    """How many entries, of all chains, have waited for too long to be sealed."""
    waiting = select(func.count()).where(AuditEntry.sequence.is_(None))
    return session.scalar(waiting.where(AuditEntry.at <= now - audit_checks.PATIENCE)) or 0
