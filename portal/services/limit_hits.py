"""Who reached an hourly limit of the portal? On record, once an hour for each limit (PII-07)."""

from enum import StrEnum

from portal.models import AuditAction
from portal.services import hourly_caps
from portal.services.context import Context


def note(ctx: Context, reason: StrEnum) -> None:
    """Records that the account of `ctx` was refused for `reason`, a core.reasons.Reason."""
    hourly_caps.record_once(ctx, AuditAction.LIMIT_HIT, {"limit": reason.value})
