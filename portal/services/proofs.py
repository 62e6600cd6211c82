"""How does a right code make a number a user's? On PostgreSQL in one statement, which is one journey.

The attempt is spent, the number taken and the entry written together, each only if the one before it was.
SQLite knows no such statement and makes no journeys.
"""

from sqlalchemy import bindparam, exists, func, insert, select

from portal.models import AuditAction, AuditEntry, User, table
from portal.services import attempts, audit, number_holders, user_numbers
from portal.services.attempts import Attempt
from portal.services.context import Context

_ENTRY, _USER = table(AuditEntry), table(User)
_TOLD = [_ENTRY.c[name] for name in audit.TOLD]
_SPENT = attempts.SPEND.cte("spent")
_TAKEN = (
    number_holders.TAKE_FREE.where(exists(select(_SPENT.c.id)), _USER.c.disabled.is_(False))
    .values({name: bindparam(f"given_{name}", type_=_USER.c[name].type) for name in number_holders.IN_FORCE})
    .cte("taken")
)
_NOTED = insert(_ENTRY).from_select(
    _TOLD,
    select(*(bindparam(f"told_{each.name}", type_=each.type) for each in _TOLD)).where(
        exists(select(_TAKEN.c.id))
    ),
)
_TOGETHER = select(
    select(func.count()).select_from(_SPENT).scalar_subquery(),
    select(func.count()).select_from(_TAKEN).scalar_subquery(),
).add_cte(_NOTED.cte("noted"))


def spend_and_give(ctx: Context, attempt: Attempt) -> bool:
    """Spends an attempt whose code came back and makes its locked number the user's, verified.

    False when another request spent it first (OTP-03). Raises what number_holders.give raises.
    """
    details = {"purpose": attempt.purpose}
    if ctx.session.get_bind().dialect.name != "postgresql":
        return _spend_and_give(ctx, attempt, details)
    spent, taken = ctx.execute(_TOGETHER, _values(ctx, attempt, details)).one()
    if spent and not taken:
        # Who was suspended while their row was waited for verifies nothing any more (contract a.3).
        user_numbers.load(ctx, attempt.user_id).refuse_disabled()
        number_holders.give_claimed(ctx, attempt.phone_number, attempt.user_id)
        audit.record(ctx, AuditAction.NUMBER_VERIFIED, attempt.user_id, details)
    return bool(spent)


def _values(ctx: Context, attempt: Attempt, details: audit.Details) -> dict[str, object]:
    # Parameters that were called like a column would be written to every table that has one of that name.
    taking = number_holders.taking(ctx, attempt.phone_number, attempt.user_id)
    given = {f"given_{name}": taking.pop(name) for name in number_holders.IN_FORCE}
    entry = audit.entry(ctx, AuditAction.NUMBER_VERIFIED, attempt.user_id, details)
    told = {f"told_{name}": value for name, value in entry.items()}
    return attempts.as_compared(ctx, attempt) | taking | given | told


def _spend_and_give(ctx: Context, attempt: Attempt, details: audit.Details) -> bool:
    if not attempts.spend(ctx, attempt):
        return False
    number_holders.give(ctx, attempt.phone_number, attempt.user_id)
    audit.record(ctx, AuditAction.NUMBER_VERIFIED, attempt.user_id, details)
    return True
