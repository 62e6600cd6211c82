"""May this person see the whole number? Only with a reason, on record, and twenty times an hour (TEN-08)."""

from dataclasses import dataclass

from portal.core.deed_details import masked
from portal.core.reasons import Reason
from portal.errors import NotSupported
from portal.models import AuditAction
from portal.services import audit, hourly_caps, support_deeds, support_facts
from portal.services.context import Context

NO_NUMBER = "This user has no phone number."


@dataclass(frozen=True, slots=True)
class Revealed:
    """A user's whole numbers, in E.164. They may stand in one answer and nowhere else."""

    current: str | None
    pending: str | None


def reveal(ctx: Context, user_id: str, reason: str) -> Revealed:
    """The numbers of a user, for the account of `ctx`, which has typed why.

    Raises NotFound, BadInput for the reason, NotSupported when there is no number, and TooSoon beyond what
    the profile allows in an hour, over all apps of the account.
    """
    kept = support_deeds.typed(reason)
    facts = support_facts.of(ctx, user_id)
    if facts.number is None and facts.pending is None:
        raise NotSupported(NO_NUMBER)
    allowed = ctx.profile.reveals_per_hour
    hourly_caps.take(ctx, AuditAction.NUMBER_REVEALED, allowed, Reason.REVEAL_HOURLY_LIMIT)
    shown = {"phone_number": masked(facts.number), "pending_phone_number": masked(facts.pending)}
    details = {"shown": {name: number for name, number in shown.items() if number}}
    audit.record(ctx, AuditAction.NUMBER_REVEALED, user_id, details, kept)
    return Revealed(facts.number, facts.pending)
