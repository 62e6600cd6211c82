"""In which order are an app's carriers used? The first that is on and not paused gets a message."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import update

from portal.errors import Overtaken
from portal.models import App, AuditAction, Provider
from portal.services import audit, providers
from portal.services.context import Context


def stamp(found: Sequence[Provider]) -> str:
    """What a form carries to say which order it showed."""
    return hashlib.sha256(".".join(each.id for each in found).encode()).hexdigest()[:16]


def move(ctx: Context, provider_id: str, *, up: bool, seen: str) -> int:
    """Moves a provider one place up or down; returns its place, from 1. At the end it stays where it is.

    Raises NotFound, and Overtaken when the order is no longer the one that `seen` was stamped for.
    """
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    moved = providers.get(ctx.session, ctx.app_id, provider_id)
    found = list(providers.all_of(ctx.session, ctx.app_id))
    if stamp(found) != seen:
        raise Overtaken("Somebody else changed the order since you looked. Nothing was changed.")
    at = [each.id for each in found].index(provider_id)
    to = min(max(at + (-1 if up else 1), 0), len(found) - 1)
    if to == at:
        return at + 1
    found.insert(to, found.pop(at))
    _number(ctx, found)
    details = {"provider": moved.label, "place": [at + 1, to + 1]}
    audit.record(ctx, AuditAction.PROVIDER_MOVED, details=details)
    return to + 1


def _number(ctx: Context, found: Sequence[Provider]) -> None:
    # The stamps of single providers stay: moving one takes nothing from who edits it.
    for position, each in enumerate(found, 1):
        if each.position != position:
            ctx.session.execute(
                update(Provider)
                .where(Provider.app_id == ctx.app_id, Provider.id == each.id)
                .values(position=position)
                .execution_options(synchronize_session=False)
            )
    ctx.session.expire_all()
