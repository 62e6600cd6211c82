"""Who asks for an app that is not theirs? On record, at most once an hour for each app (PII-07, TEN-02)."""

from sqlalchemy import exists, select

from portal.models import App, AuditAction
from portal.services import hourly_caps
from portal.services.context import Context


def note(ctx: Context, app_id: str) -> None:
    """Records that the account of `ctx`, outside any app, asked for one that it is no member of.

    Apps that do not exist are recorded too, so that the time that an answer takes tells nobody which do.
    """
    is_there = bool(ctx.session.scalar(select(exists().where(App.id == app_id))))
    hourly_caps.record_once(ctx, AuditAction.APP_REFUSED, {"app": app_id[:36], "exists": is_there})
