"""Who did what? Adds audit entries, and reads them back."""

from collections.abc import Mapping

from sqlalchemy import insert

from portal.models import AuditAction, AuditEntry, table
from portal.services.context import Context

# What an entry tells beside its action: plain words and masked numbers, often before and after.
Details = Mapping[str, object] | None

_INSERT = insert(table(AuditEntry))


def record(
    ctx: Context,
    action: AuditAction,
    user_id: str | None = None,
    details: Details = None,
    reason: str | None = None,
) -> None:
    """Adds one entry to the transaction of `ctx`. `details` must hold no code, key or full number."""
    entry = {
        "app_id": ctx.app_id or None,
        "at": ctx.now,
        "actor_kind": ctx.caller.kind,
        "actor_id": ctx.caller.id,
        "action": action,
        "user_id": user_id,
        "reason": reason,
        "details": dict(details or {}),
    }
    ctx.execute(_INSERT, entry)
