"""The Verification page of an app: the switch and its settings."""

from typing import Any

from flask import Blueprint, Response, flash, request, url_for

from portal import clock
from portal.core import locales
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput
from portal.models import App
from portal.services import apps, countries, sms_templates
from portal.web.forms import refusals
from portal.web.forms.verifications import SettingsForm, SwitchForm
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment

pages = Blueprint("verifications", __name__, url_prefix="/apps/<id:app_id>/verification")

PAGE = "verifications/show.html"
MINUTE_S = 60


@pages.get("")
@may(Action.SEE_SETTINGS)
def show(standing: Standing) -> Response:
    """The switch with what it will do, and the settings."""
    return page_or_fragment(PAGE, PAGE, **_switch(standing), form=_filled(standing.app))


@pages.post("/switch")
@may(Action.CHANGE_SETTINGS)
def switch(standing: Standing) -> Response:
    """Switches phone verification on or off, and says so beside the switch."""
    on = SwitchForm().required.data
    with transaction() as session:
        ctx = standing.context(session)
        apps.change(ctx, apps.AppChanges(phone_number_verification_required=on))
    if not request.htmx:  # type: ignore[attr-defined]
        flash(f"Saved. Phone verification is {'on' if on else 'off'}.", "good")
        return go_to(url_for(".show", app_id=standing.app.id))
    undone = "undo" in request.form
    return page_or_fragment(
        PAGE, "verifications/_switch.html", **_switch(standing, saved=True, undone=undone)
    )


@pages.post("")
@may(Action.CHANGE_SETTINGS)
def change(standing: Standing) -> Response:
    """Saves the settings, or answers 422 with what was typed and what is wrong with it."""
    form = _form(standing.app)
    if form.validate_on_submit() and _saved(standing, form):
        flash("Saved. New codes follow these settings; codes already sent keep theirs.", "good")
        return go_to(url_for(".show", app_id=standing.app.id))
    return page_or_fragment(PAGE, PAGE, status=422, **_switch(standing), form=form)


def _saved(standing: Standing, form: SettingsForm) -> bool:
    changes = apps.AppChanges(
        code_length=form.code_length.data,
        code_life_s=(form.code_life_minutes.data or 0) * MINUTE_S,
        guesses_allowed=form.guesses_allowed.data,
        sends_allowed=form.sends_allowed.data,
        number_taken=form.number_taken.data,
        notify_old_number=form.notify_old_number.data,
        default_locale=form.default_locale.data,
        open_countries=frozenset(form.open_countries.data or ()),
    )
    try:
        with transaction() as session:
            apps.change(standing.context(session), changes)
    except BadInput as refusal:
        refusals.show(form, refusal)
        return False
    return True


def _switch(standing: Standing, *, saved: bool = False, undone: bool = False) -> dict[str, Any]:
    """What the switch shows: its state, and how many users it concerns."""
    counts = apps.counts(reading(), standing.app.id, clock.now())
    return {"app": standing.app, "counts": counts, "saved": saved, "undone": undone}


def _filled(app: App) -> SettingsForm:
    form = _form(app)
    form.process(
        obj=app,
        code_life_minutes=app.code_life_s // MINUTE_S,
        open_countries=countries.open_in(reading(), app.id),
    )
    return form


def _form(app: App) -> SettingsForm:
    form = SettingsForm()
    tags = {template.locale for template in sms_templates.all_of(reading(), app.id)} | {app.default_locale}
    form.default_locale.choices = [(tag, f"{locales.name(tag)} ({tag})") for tag in sorted(tags)]
    return form
