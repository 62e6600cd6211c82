"""May this person do that once more this hour? Counts what the audit log says of an account (TEN-08)."""

from sqlalchemy import bindparam, literal_column, select

from portal.core import limits
from portal.core.reasons import Reason
from portal.models import Account, ActorKind, AuditAction, AuditEntry, table
from portal.services import audit, fences
from portal.services.context import Context

_ACCOUNT, _ENTRY = table(Account), table(AuditEntry)
_LOCK = select(_ACCOUNT.c.id).where(_ACCOUNT.c.id == bindparam("the_account")).with_for_update()
_OF_LATE = (
    # Spelled as the partial index spells it, which is used for nothing else.
    _ENTRY.c.actor_kind == literal_column(f"'{ActorKind.ACCOUNT.value}'"),
    _ENTRY.c.actor_id == bindparam("the_account"),
    _ENTRY.c.action == bindparam("the_action"),
    _ENTRY.c.at > bindparam("the_start"),
)
_LATELY = (
    select(_ENTRY.c.at).where(*_OF_LATE).order_by(_ENTRY.c.at.desc()).offset(bindparam("the_place")).limit(1)
)
_DETAILS = select(_ENTRY.c.details).where(*_OF_LATE).limit(bindparam("the_most"))
# How many entries of a kind one account leaves in an hour, where each is to be told once.
MOST_RECORDED = 20


def take(ctx: Context, action: AuditAction, allowed: int, reason: Reason) -> None:
    """Makes sure that the account of `ctx` did `action` fewer than `allowed` times in the last hour.

    It counts over all apps. The caller records the action in the same transaction, in which the account's
    row stays locked, so that requests which come together take their turns. Raises TooSoon with `reason`;
    with no room at all (`allowed` below 1), for an hour.
    """
    if allowed < 1:
        raise limits.Refused(reason, ctx.now + limits.HOUR).as_error()
    ctx.execute(_LOCK, {"the_account": ctx.caller.id}).one()
    asked = {"the_account": ctx.caller.id, "the_action": action, "the_start": ctx.now - limits.HOUR}
    # The one that has to leave the hour before there is room again.
    with fences.lifted(ctx.session):
        first: int | None = ctx.scalar(_LATELY, asked | {"the_place": allowed - 1})
    if first is not None:
        raise limits.Refused(reason, first + limits.HOUR).as_error()


def record_once(
    ctx: Context, action: AuditAction, details: dict[str, object], most: int = MOST_RECORDED
) -> None:
    """Records what the account of `ctx` did, unless the same is on record of the last hour, or `most` others.

    So nobody fills the log by doing it again and again.
    """
    ctx.execute(_LOCK, {"the_account": ctx.caller.id}).one()
    asked = {"the_account": ctx.caller.id, "the_action": action, "the_start": ctx.now - limits.HOUR}
    with fences.lifted(ctx.session):
        told = [row.details for row in ctx.execute(_DETAILS, asked | {"the_most": most})]
        if details not in told and len(told) < most:
            audit.record(ctx, action, details=details)
