"""Taking an app live, and back to the sandbox: what will happen, to how many people, and the deed."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal import clock
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, Overtaken
from portal.models import AppMode
from portal.services import app_modes, countries, providers
from portal.services.context import Context
from portal.web import provider_states
from portal.web.guards import Standing, may
from portal.web.render import go_to

pages = Blueprint("app_modes", __name__, url_prefix="/apps/<id:app_id>/provider")

PAGE = "providers/mode.html"


@pages.get("/live")
@may(Action.MANAGE_PROVIDERS, asks_first=True)
def ask_to_go_live(standing: Standing) -> Response:
    """What going live will do."""
    return _ask(standing, AppMode.LIVE)


@pages.post("/live")
@may(Action.MANAGE_PROVIDERS)
def go_live(standing: Standing) -> Response:
    """From now on real phones ring; or why not."""
    return _carry_out(
        standing, AppMode.LIVE, app_modes.go_live, "This app is live. SMS go to real phones now."
    )


@pages.get("/sandbox")
@may(Action.MANAGE_PROVIDERS, asks_first=True)
def ask_to_go_back(standing: Standing) -> Response:
    """What going back to the sandbox will do."""
    return _ask(standing, AppMode.SANDBOX)


@pages.post("/sandbox")
@may(Action.MANAGE_PROVIDERS)
def go_back(standing: Standing) -> Response:
    """From now on SMS go to the inbox; or why not."""
    told = "This app is in the sandbox. No real phone rings."
    return _carry_out(standing, AppMode.SANDBOX, app_modes.go_back, told)


def _carry_out(standing: Standing, mode: AppMode, verb: Callable[[Context], None], told: str) -> Response:
    try:
        with transaction() as session:
            verb(standing.context(session))
    except (BadInput, Overtaken) as refusal:
        return _ask(standing, mode, refusal.message, status=422 if isinstance(refusal, BadInput) else 409)
    flash(told, "good")
    return go_to(url_for("providers.index", app_id=standing.app.id))


def _ask(standing: Standing, mode: AppMode, refusal: str = "", status: int = 200) -> Response:
    session, app = reading(), standing.app
    lines = provider_states.lines(providers.all_of(session, app.id), clock.now())
    page = render_template(
        PAGE,
        app=app,
        mode=mode,
        effect=app_modes.effect(session, app.id),
        first=next((each for each in lines if each.provider.is_on), None),
        open_countries=countries.open_in(session, app.id),
        refusal=refusal,
    )
    return make_response(page, status)
