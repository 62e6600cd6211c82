"""Who did what? Adds audit entries, and reads them back."""

from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from portal.models import AuditAction, AuditEntry, table
from portal.services.context import Context

_INSERT = insert(table(AuditEntry))


def record(
    ctx: Context,
    action: AuditAction,
    user_id: str | None = None,
    details: Mapping[str, object] | None = None,
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


def of_user(session: Session, app_id: str, user_id: str, limit: int = 50) -> Sequence[AuditEntry]:
    """The newest entries about one user, newest first."""
    return session.scalars(
        select(AuditEntry)
        .where(AuditEntry.app_id == app_id, AuditEntry.user_id == user_id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    ).all()
