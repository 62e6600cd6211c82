"""The Provider page of an app: its carriers in the order of use, and the form of each."""

from typing import Any

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal import clock
from portal.core.provider_kinds import ProviderKind, kind_named
from portal.core.roles import Action
from portal.core.sealing import BrokenSeal
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound, Overtaken
from portal.models import Provider
from portal.services import app_modes, provider_activity, provider_order, providers
from portal.services.context import Context
from portal.web import provider_states, receipt_words, unusable_settings
from portal.web.filters import isolated
from portal.web.forms import providers as forms
from portal.web.forms.providers import ProviderForm
from portal.web.guards import Standing, may
from portal.web.render import go_to

pages = Blueprint("providers", __name__, url_prefix="/apps/<id:app_id>/provider")

PAGE, NEW, FORM = "providers/index.html", "providers/new.html", "providers/form.html"


@pages.get("")
@may(Action.MANAGE_PROVIDERS)
def index(standing: Standing) -> Response:
    """Every provider with how it fares, and where the app's messages go."""
    return make_response(render_template(PAGE, **listed(standing)))


@pages.get("/new")
@may(Action.MANAGE_PROVIDERS)
def new(standing: Standing) -> Response:
    """Which kinds there are to choose from."""
    return make_response(render_template(NEW, app=standing.app, kinds=forms.kinds()))


@pages.get("/new/<id:kind>")
@may(Action.MANAGE_PROVIDERS, asks_first=True)
def new_of(standing: Standing, kind: str) -> Response:
    """The form of a new provider of one kind."""
    known = _kind(kind)
    return _page(standing, forms.form_of(known)(None, label=known.sentence), known)


@pages.post("/new/<id:kind>")
@may(Action.MANAGE_PROVIDERS)
def create(standing: Standing, kind: str) -> Response:
    """Adds a provider, or answers 422 with what was typed, secrets left out, and what is wrong with it."""
    known = _kind(kind)
    form = forms.form_of(known)()
    if form.validate_on_submit():
        try:
            unusable_settings.refuse(known, form.typed)
            with transaction() as session:
                provider = providers.add(standing.context(session), known, form.wanted)
            flash(f"{isolated(provider.label)} is added, and on.", "good")
            return go_to(url_for(".show", app_id=standing.app.id, provider_id=provider.id))
        except BadInput as refusal:
            form.refuse(refusal.field, refusal.message)
    form.refuse_the_rest(unusable_settings.all_in(known, form.typed))
    form.ask_for_secrets_again()
    return _page(standing, form, known, status=422)


@pages.get("/<id:provider_id>")
@may(Action.MANAGE_PROVIDERS, asks_first=True)
def show(standing: Standing, provider_id: str) -> Response:
    """One provider: how it fares, its settings, where its receipts go."""
    return show_one(standing, providers.get(reading(), standing.app.id, provider_id))


@pages.post("/<id:provider_id>")
@may(Action.MANAGE_PROVIDERS)
def change(standing: Standing, provider_id: str) -> Response:
    """Saves what changed, or answers 422 with what was typed, secrets left out, and what is wrong with it."""
    provider = providers.get(reading(), standing.app.id, provider_id)
    form = _form_of(standing, provider)()
    if form.validate_on_submit():
        try:
            _save(standing, provider, form)
            flash(f"{isolated(form.wanted.label)} is saved.", "good")
            return go_to(url_for(".show", app_id=standing.app.id, provider_id=provider_id))
        except BadInput as refusal:
            form.refuse(refusal.field, refusal.message)
        except Overtaken as refusal:
            # What the next click is about is what this page says; what was typed stays.
            provider = providers.get(reading(), standing.app.id, provider_id)
            form.seen.data = providers.stamp(provider)
            form.form_errors.append(f"{refusal.message} What you typed is still here: save to replace it.")
    kept = _kept(standing.context(reading()), provider, form.forgotten)
    form.refuse_the_rest(unusable_settings.all_in(kind_named(provider.kind), kept | form.typed))
    form.ask_for_secrets_again()
    return show_one(standing, provider, form, status=422)


def listed(standing: Standing) -> dict[str, Any]:
    """What the list shows, as a page and as a fragment."""
    session, app, now = reading(), standing.app, clock.now()
    found = providers.all_of(session, app.id)
    return {
        "app": app,
        "lines": provider_states.lines(found, now),
        "seen": provider_order.stamp(found),
        "activity": provider_activity.of(session, app.id, now),
        "effect": app_modes.effect(session, app.id),
        "most": providers.MOST,
        "news": "",
        "refusal": "",
    }


def show_one(
    standing: Standing,
    provider: Provider,
    form: ProviderForm | None = None,
    status: int = 200,
    **more: object,
) -> Response:
    """The page of one provider. The form starts from what is stored, where none was typed into."""
    if form is None:
        stored = {"label": provider.label, "seen": providers.stamp(provider)}
        form = _form_of(standing, provider)(None, **stored | forms.written(provider.settings))
    lines = provider_states.lines(providers.all_of(reading(), standing.app.id), clock.now())
    activity = provider_activity.of(reading(), standing.app.id, clock.now())
    told = {
        "line": next(each for each in lines if each.provider.id == provider.id),
        "activity": activity,
        "receipts": receipt_words.of(provider, activity),
        "checked": None,
    }
    return _page(standing, form, kind_named(provider.kind), status, provider=provider, **told | more)


def _save(standing: Standing, provider: Provider, form: ProviderForm) -> None:
    wanted = form.wanted
    with transaction() as session:
        ctx = standing.context(session)
        kept = _kept(ctx, providers.get(session, standing.app.id, provider.id), wanted.forgotten)
        unusable_settings.refuse(kind_named(provider.kind), kept | form.typed)
        providers.change(ctx, provider.id, wanted, form.seen.data or "")


def _kept(ctx: Context, provider: Provider, forgotten: frozenset[str]) -> dict[str, str]:
    try:
        stored = providers.secrets_of(ctx, provider)
    except BrokenSeal:
        return {}
    return {name: text for name, text in stored.items() if name not in forgotten}


def _form_of(standing: Standing, provider: Provider) -> type[ProviderForm]:
    stored = providers.last_fours(standing.context(reading()), provider)
    return forms.form_of(kind_named(provider.kind), stored)


def _kind(word: str) -> ProviderKind:
    """The kind that an address names. Raises NotFound for what cannot be added here."""
    for kind in forms.kinds():
        if kind == word:
            return kind
    raise NotFound("provider", "There is no such kind of provider.")


def _page(
    standing: Standing, form: ProviderForm, kind: ProviderKind, status: int = 200, **told: object
) -> Response:
    values = {"app": standing.app, "form": form, "kind": kind, "provider": None} | told
    return make_response(render_template(FORM, **values), status)
