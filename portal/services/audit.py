"""Who did what? Adds audit entries, and reads them back."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import insert

from portal.models import AuditAction, AuditEntry, table
from portal.services.context import Context

# What an entry tells beside its action: plain words and masked numbers, often before and after.
Details = Mapping[str, object] | None

# The columns that a request fills; the others are for the sealing.
TOLD: Final = ("app_id", "at", "actor_kind", "actor_id", "action", "user_id", "reason", "details")
_INSERT = insert(table(AuditEntry))


def record(
    ctx: Context,
    action: AuditAction,
    user_id: str | None = None,
    details: Details = None,
    reason: str | None = None,
) -> None:
    """Adds one entry to the transaction of `ctx`. `details` must hold no code, key or full number."""
    ctx.add(_INSERT, entry(ctx, action, user_id, details, reason))


def entry(
    ctx: Context,
    action: AuditAction,
    user_id: str | None = None,
    details: Details = None,
    reason: str | None = None,
) -> dict[str, object]:
    """The columns of such an entry, for whoever adds it together with what it tells of."""
    return {
        "app_id": ctx.app_id or None,
        "at": ctx.now,
        "actor_kind": ctx.caller.kind,
        "actor_id": ctx.caller.id,
        "action": action,
        "user_id": user_id,
        "reason": reason,
        "details": dict(details or {}),
    }
