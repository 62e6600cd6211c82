"""The access keys of an app: what to copy into a client, and how one key replaces another without haste."""

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput
from portal.models import KeyKind
from portal.services import access_keys
from portal.web.forms.access_keys import ResetForm
from portal.web.guards import Standing, may
from portal.web.render import go_to

pages = Blueprint("access_keys", __name__, url_prefix="/apps/<id:app_id>/access-keys")


@pages.get("")
@may(Action.MANAGE_KEYS)
def show(standing: Standing) -> Response:
    """The keys: AppKeys in full, of secrets the last four characters."""
    return _page(standing)


@pages.post("/app-keys")
@may(Action.CHANGE_KEYS)
def add_app_key(standing: Standing) -> Response:
    """Adds a second AppKey; the first goes on working."""
    try:
        with transaction() as session:
            access_keys.add(standing.context(session), KeyKind.APP_KEY)
    except BadInput as refusal:
        return _page(standing, refusal=refusal.message, status=422)
    flash("Added an AppKey. The old one works until you end it.", "good")
    return _to_the_keys(standing)


@pages.post("/client-secrets")
@may(Action.CHANGE_KEYS)
def add_secret(standing: Standing) -> Response:
    """Adds a second ClientSecret and shows it, this once; the first goes on working.

    The secret is in this answer and nowhere else, which is why there is no redirect.
    """
    try:
        with transaction() as session:
            secret = access_keys.add(standing.context(session), KeyKind.CLIENT_SECRET)
    except BadInput as refusal:
        return _page(standing, refusal=refusal.message, status=422)
    return _page(standing, client_secret=secret)


@pages.get("/<id:key_id>/ending")
@may(Action.CHANGE_KEYS, asks_first=True)
def ask_to_end(standing: Standing, key_id: str) -> Response:
    """Says what ending a key will break."""
    return _ask(standing, key_id)


@pages.post("/<id:key_id>/ending")
@may(Action.CHANGE_KEYS)
def end(standing: Standing, key_id: str) -> Response:
    """Ends a key, from the next request on."""
    try:
        with transaction() as session:
            key = access_keys.end(standing.context(session), key_id)
    except BadInput as refusal:
        return _ask(standing, key_id, refusal.message, 422)
    flash(f"Ended the {access_keys.NAMES[key.kind]} that ends in {key.last4}.", "good")
    return _to_the_keys(standing)


@pages.post("/secret")
@may(Action.CHANGE_KEYS)
def reset(standing: Standing) -> Response:
    """Makes a new secret, which ends the others and every token of the app, and shows it, this once."""
    form = ResetForm()
    if not form.validate_on_submit():
        return _page(standing, form=form, status=422)
    with transaction() as session:
        secret = access_keys.reset_secret(standing.context(session))
    return _page(standing, form=ResetForm(formdata=None), client_secret=secret)


def _page(
    standing: Standing,
    form: ResetForm | None = None,
    client_secret: str | None = None,
    refusal: str = "",
    status: int = 200,
) -> Response:
    keys = access_keys.live(reading(), standing.app.id)
    page = render_template(
        "access_keys/show.html",
        app=standing.app,
        app_keys=[key for key in keys if key.kind is KeyKind.APP_KEY],
        secrets=[key for key in keys if key.kind is KeyKind.CLIENT_SECRET],
        form=form or ResetForm(),
        client_secret=client_secret,
        refusal=refusal,
    )
    return make_response(page, status)


def _ask(standing: Standing, key_id: str, refusal: str = "", status: int = 200) -> Response:
    keys = access_keys.live(reading(), standing.app.id)
    key = access_keys.find(reading(), standing.app.id, key_id)
    other = next((each for each in keys if each.kind is key.kind and each.id != key.id), None)
    name = access_keys.NAMES[key.kind]
    page = render_template(
        "access_keys/ending.html", app=standing.app, key=key, other=other, name=name, refusal=refusal
    )
    return make_response(page, status)


def _to_the_keys(standing: Standing) -> Response:
    return go_to(url_for("access_keys.show", app_id=standing.app.id))
