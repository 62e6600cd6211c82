"""May this person do that once more this hour? Counts what the audit log says of an account (TEN-08)."""

from sqlalchemy import select

from portal.core import limits
from portal.core.reasons import Reason
from portal.errors import TooSoon
from portal.models import Account, ActorKind, AuditAction, AuditEntry
from portal.services.context import Context


def take(ctx: Context, action: AuditAction, allowed: int, reason: Reason) -> None:
    """Makes sure that the account of `ctx` did `action` fewer than `allowed` times in the last hour.

    It counts over all apps. The caller records the action in the same transaction, in which the account's
    row stays locked, so that requests which come together take their turns. Raises TooSoon with `reason`.
    """
    ctx.session.execute(select(Account.id).where(Account.id == ctx.caller.id).with_for_update()).one()
    # The one that has to leave the hour before there is room again.
    first = ctx.session.scalar(
        select(AuditEntry.at)
        .where(AuditEntry.actor_kind == ActorKind.ACCOUNT, AuditEntry.actor_id == ctx.caller.id)
        .where(AuditEntry.action == action, AuditEntry.at > ctx.now - limits.HOUR)
        .order_by(AuditEntry.at.desc())
        .offset(allowed - 1)
        .limit(1)
    )
    if first is not None:
        raise TooSoon(reason, reason.sentence, first + limits.HOUR)
