"""Which SMS does a user of some language get, and by which steps is it found?"""

from flask import Blueprint, Response, request

from portal.core import locale_steps
from portal.core.roles import Action
from portal.database import reading
from portal.services import locale_use, sms_templates
from portal.web import previews
from portal.web.forms.locales import SimulatorForm
from portal.web.guards import Standing, may
from portal.web.render import page_or_fragment

pages = Blueprint("locale_simulator", __name__, url_prefix="/apps/<id:app_id>/sms-templates/simulator")

PAGE = "locale_simulator/show.html"
STEPS = "locale_simulator/_steps.html"
MOST_EXAMPLES = 6


@pages.get("")
@may(Action.SEE_SMS_TEMPLATES)
def show(standing: Standing) -> Response:
    """The steps for the language that is asked for; without one, the question and what users have."""
    form = SimulatorForm(request.args)
    is_asked = "locale" in request.args
    is_good = is_asked and form.validate()
    found = _found(standing, form.locale.data or "") if is_good else {}
    return page_or_fragment(
        PAGE,
        STEPS,
        status=422 if is_asked and not is_good else 200,
        app=standing.app,
        form=form,
        examples=_examples(standing),
        **{"steps": [], "preview": None, "locale": None, "users": 0} | found,
    )


def _found(standing: Standing, asked: str) -> dict[str, object]:
    app = standing.app
    offered = {each.locale: each for each in sms_templates.all_of(reading(), app.id)}
    steps = locale_steps.steps(asked, offered, app.default_locale)
    winner = offered[steps[-1].tag]
    return {
        "steps": steps,
        "preview": previews.of(app, winner.body),
        # The bubble is written in the language of what it shows.
        "locale": winner.locale,
        "users": locale_use.exactly(reading(), app.id, asked),
    }


def _examples(standing: Standing) -> list[str]:
    """What most users have, to be tried by a click."""
    if request.htmx:  # type: ignore[attr-defined]
        return []
    app = standing.app
    offered = [each.locale for each in sms_templates.all_of(reading(), app.id)]
    uses = locale_use.of(reading(), app.id, offered, app.default_locale)
    return [use.locale for use in uses if use.locale][:MOST_EXAMPLES]
