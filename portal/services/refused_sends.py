"""Which requests for an SMS were refused? Notes them for whoever asks why none came."""

from collections.abc import Mapping

from sqlalchemy import select

from portal import clock
from portal.core.reasons import Reason
from portal.errors import BadInput, Busy, Refusal, TooSoon
from portal.models import AuditAction, AuditEntry, User
from portal.services import audit
from portal.services.context import Context

# One entry for a user and a reason in so much time (ms), however often the request is repeated.
QUIET = clock.MINUTE
# No more entries of one user than these are looked through; what is older is no repetition that matters.
_LOOKED_THROUGH = 50


def told_by(refusal: Refusal) -> dict[str, object] | None:
    """What an audit entry says of a refusal; None for one that refused no SMS.

    A limit, a number that this app may not text, or too many messages waiting: `reason`, `until` (Unix ms or
    None), and the country.
    """
    reason = refusal.details.get("reason")
    if not isinstance(refusal, TooSoon | BadInput | Busy) or not isinstance(reason, Reason):
        return None
    until = refusal.next_allowed_at if isinstance(refusal, TooSoon) else None
    if isinstance(refusal, Busy):
        until = clock.now() + refusal.retry_after * clock.SECOND
    country = refusal.details.get("country")
    return {"reason": reason.value, "until": until} | ({"country": country} if country else {})


def is_news(ctx: Context, user_id: str, told: Mapping[str, object]) -> bool:
    """Whether no entry of the last minute says the same of this user."""
    newest = (
        select(AuditEntry.action, AuditEntry.at, AuditEntry.details)
        .where(AuditEntry.app_id == ctx.app_id, AuditEntry.user_id == user_id)
        .order_by(AuditEntry.id.desc())
        .limit(_LOOKED_THROUGH)
    )
    return not any(
        row.action == AuditAction.SEND_REFUSED
        and row.at > ctx.now - QUIET
        and row.details.get("reason") == told["reason"]
        for row in ctx.session.execute(newest)
    )


def note(ctx: Context, user_id: str, told: Mapping[str, object]) -> bool:
    """Adds an entry for a refusal, unless the last minute has the same; whether it did.

    The user's row is locked first, so that requests which come together write one entry. A user who is gone
    gets none.
    """
    user = select(User.id).where(User.app_id == ctx.app_id, User.id == user_id)
    if ctx.session.scalar(user.with_for_update(key_share=True)) is None:
        return False
    if not is_news(ctx, user_id, told):
        return False
    audit.record(ctx, AuditAction.SEND_REFUSED, user_id, told)
    return True
