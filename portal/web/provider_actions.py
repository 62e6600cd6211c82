"""Switching an app's carriers on and off, putting them in order, and removing them."""

from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal import clock
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import Overtaken
from portal.models import MessageState
from portal.services import app_modes, provider_activity, provider_order, providers
from portal.web import provider_states
from portal.web.filters import isolated
from portal.web.forms.provider_actions import MoveForm, RemovalForm, SwitchForm
from portal.web.guards import Standing, may
from portal.web.providers import listed
from portal.web.render import go_to, wants_fragment

pages = Blueprint("provider_actions", __name__, url_prefix="/apps/<id:app_id>/provider/<id:provider_id>")

LIST = "providers/_list.html"
REMOVAL = "providers/removal.html"


@pages.post("/switch")
@may(Action.MANAGE_PROVIDERS)
def switch(standing: Standing, provider_id: str) -> Response:
    """Switches a provider on or off; the list says so."""
    on = bool(SwitchForm().on.data)
    with transaction() as session:
        ctx = standing.context(session)
        providers.switch(ctx, provider_id, on=on)
    label = providers.get(reading(), standing.app.id, provider_id).label
    return _answer(standing, f"{isolated(label)} is {'on' if on else 'off'}.")


@pages.post("/place")
@may(Action.MANAGE_PROVIDERS)
def move(standing: Standing, provider_id: str) -> Response:
    """Moves a provider one place up or down, or says that the order was changed meanwhile."""
    form = MoveForm()
    try:
        with transaction() as session:
            ctx = standing.context(session)
            place = provider_order.move(
                ctx, provider_id, up=form.direction.data == "up", seen=form.seen.data or ""
            )
    except Overtaken as refusal:
        return _answer(standing, "", refusal.message)
    label = providers.get(reading(), standing.app.id, provider_id).label
    return _answer(standing, f"{isolated(label)} is number {place} now.")


@pages.get("/removal")
@may(Action.MANAGE_PROVIDERS)
def ask_to_remove(standing: Standing, provider_id: str) -> Response:
    """What removing a provider will do, and to how many messages."""
    return _ask(standing, provider_id)


@pages.post("/removal")
@may(Action.MANAGE_PROVIDERS)
def remove(standing: Standing, provider_id: str) -> Response:
    """Removes it, or says that it was changed since the confirmation was read."""
    try:
        with transaction() as session:
            ctx = standing.context(session)
            label = providers.remove(ctx, provider_id, RemovalForm().seen.data or "")
    except Overtaken as refusal:
        return _ask(standing, provider_id, refusal.message, status=409)
    flash(f"{isolated(label)} is removed, and its credentials with it.", "good")
    return go_to(url_for("providers.index", app_id=standing.app.id))


def _ask(standing: Standing, provider_id: str, refusal: str = "", status: int = 200) -> Response:
    session, app = reading(), standing.app
    provider = providers.get(session, app.id, provider_id)
    lines = provider_states.lines(providers.all_of(session, app.id), clock.now())
    page = render_template(
        REMOVAL,
        app=app,
        line=next(each for each in lines if each.provider.id == provider_id),
        form=RemovalForm(None, seen=providers.stamp(provider)),
        effect=app_modes.effect(session, app.id),
        sent=provider_activity.of(session, app.id, clock.now()).of(provider_id).get(MessageState.SENT, 0),
        refusal=refusal,
    )
    return make_response(page, status)


def _answer(standing: Standing, news: str, refusal: str = "") -> Response:
    """The list for htmx; for everybody else the page, with the same words at its top."""
    if not wants_fragment():
        flash(refusal or news, "wait" if refusal else "good")
        return go_to(url_for("providers.index", app_id=standing.app.id))
    told: dict[str, Any] = listed(standing) | {"news": news, "refusal": refusal}
    return make_response(render_template(LIST, **told))
