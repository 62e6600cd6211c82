"""Where do an app's messages go? To the sandbox's inbox, or by the app's own carriers to real phones."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from portal.errors import BadInput, Overtaken
from portal.models import App, AppMode, AuditAction, Provider, User
from portal.services import audit, message_counts
from portal.services.context import Context

# What stands at a live app in place of the inbox; which carrier a message takes is chosen when it is sent.
OWN_CARRIERS: Final = "carriers"
_INBOX: Final = "inbox"


@dataclass(frozen=True, slots=True)
class Effect:
    """Whom going live, or back, concerns now: users, those whose number is verified, and waiting messages."""

    users: int
    verified: int
    waiting: int
    providers_on: int


def effect(session: Session, app_id: str) -> Effect:
    """Whom it concerns. Reads every user of the app once."""
    users = select(func.count(), func.count().filter(User.phone_number_verified)).where(User.app_id == app_id)
    counted = session.execute(users).one()
    return Effect(*counted, message_counts.waiting(session, app_id), providers_on(session, app_id))


def providers_on(session: Session, app_id: str) -> int:
    """How many of an app's providers are on."""
    wanted = select(func.count()).where(Provider.app_id == app_id, Provider.is_on)
    return session.scalar(wanted) or 0


def providers_well(session: Session, app_id: str, now: int) -> int:
    """How many of them are not paused at `now` (Unix ms)."""
    is_well = or_(Provider.paused_until.is_(None), Provider.paused_until <= now)
    wanted = select(func.count()).where(Provider.app_id == app_id, Provider.is_on, is_well)
    return session.scalar(wanted) or 0


def go_live(ctx: Context) -> None:
    """From now on real phones ring. Raises BadInput without a provider that is on, Overtaken when live."""
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    if not providers_on(ctx.session, ctx.app_id):
        raise BadInput("provider", "Switch a provider on first: without one, nobody would get an SMS.")
    _change(ctx, AppMode.SANDBOX, AppMode.LIVE, OWN_CARRIERS)
    audit.record(ctx, AuditAction.APP_WENT_LIVE, details={"mode": [AppMode.SANDBOX, AppMode.LIVE]})


def go_back(ctx: Context) -> None:
    """From now on messages go to the inbox. Raises Overtaken when the app is a sandbox already."""
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    _change(ctx, AppMode.LIVE, AppMode.SANDBOX, _INBOX)
    audit.record(ctx, AuditAction.APP_WENT_TO_SANDBOX, details={"mode": [AppMode.LIVE, AppMode.SANDBOX]})


def _change(ctx: Context, before: AppMode, after: AppMode, provider: str) -> None:
    changed = ctx.session.execute(
        update(App)
        .where(App.id == ctx.app_id, App.mode == before)
        .values(mode=after, provider=provider)
        .returning(App.id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        place = "live" if after is AppMode.LIVE else "in the sandbox"
        raise Overtaken(f"This app is {place} already. Nothing was changed.")
    ctx.session.expire_all()
