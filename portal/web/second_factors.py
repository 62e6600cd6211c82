"""One's own second factors: the authenticator app, passkeys, and recovery codes."""

import base64

from flask import Response, flash, make_response, render_template, request, url_for
from flask_login import current_user

from portal.core import totp
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound, NothingToVerify, WrongPassword
from portal.services import passkeys, second_factors
from portal.web import passkey_places
from portal.web.account_pages import context, pages
from portal.web.forms.second_factors import AppForm, LastFactorForm, PasskeyForm
from portal.web.guards import signed_in_lately
from portal.web.render import go_to


@pages.post("/authenticator")
@signed_in_lately
def begin_app() -> Response:
    """Makes a key for an authenticator app, and leads to where it is shown."""
    try:
        with transaction() as rows:
            second_factors.begin_app(context(rows))
    except NothingToVerify as refusal:
        flash(refusal.message, "bad")
        return _to_the_account()
    return go_to(url_for(".show_app"))


@pages.get("/authenticator")
@signed_in_lately
def show_app() -> Response:
    """The key as a QR code and in groups, until the app has shown that it knows it."""
    return _app_page(AppForm(formdata=None))


@pages.post("/authenticator/confirmation")
@signed_in_lately
def confirm_app() -> Response:
    """Takes the app into use after its first right code; shows recovery codes where these are the first."""
    form = AppForm()
    if not form.validate():
        return _app_page(form, 422)
    try:
        with transaction() as rows:
            codes = second_factors.confirm_app(context(rows), form.code.data or "")
    except WrongPassword as refusal:
        form.code.errors = [refusal.message]
        return _app_page(form, 422)
    return _added("Your authenticator app is asked for from the next sign-in on.", codes)


@pages.post("/authenticator/removal")
@signed_in_lately
def remove_app() -> Response:
    """Takes the app away."""
    asked = _ask_for_last(url_for(".remove_app"), "Remove the authenticator app")
    if asked is not None:
        return asked
    with transaction() as rows:
        second_factors.remove_app(context(rows))
    flash("Removed the authenticator app.", "good")
    return _to_the_account()


@pages.get("/passkeys/new")
@signed_in_lately
def new_passkey() -> Response:
    """The form of a new passkey."""
    return _passkey_page(PasskeyForm(formdata=None))


@pages.post("/passkeys")
@signed_in_lately
def add_passkey() -> Response:
    """Keeps what the browser made, and shows recovery codes where these are the first."""
    form, place = PasskeyForm(), passkey_places.spent()
    try:
        with transaction() as rows:
            codes = passkeys.add(context(rows), form.passkey.data or "", place, form.name.data or "")
    except BadInput as refusal:
        form[refusal.field].errors = [refusal.message]
        return _passkey_page(form, 422)
    return _added("Your passkey signs in from now on.", codes)


@pages.post("/passkeys/<id:passkey_id>/removal")
@signed_in_lately
def remove_passkey(passkey_id: str) -> Response:
    """Takes a passkey away."""
    asked = _ask_for_last(url_for(".remove_passkey", passkey_id=passkey_id), "Remove the passkey")
    if asked is not None:
        return asked
    try:
        with transaction() as rows:
            passkeys.remove(context(rows), passkey_id)
    except NotFound as refusal:
        flash(refusal.message, "bad")
    else:
        flash("Removed the passkey.", "good")
    return _to_the_account()


@pages.post("/recovery-codes")
@signed_in_lately
def renew_codes() -> Response:
    """Makes ten new recovery codes and shows them, this once; the old ones end."""
    with transaction() as rows:
        codes = second_factors.renew_codes(context(rows))
    return _added("", codes)


def _added(sentence: str, codes: list[str]) -> Response:
    """Back to the account, by way of the recovery codes where there are new ones. They show only here."""
    if sentence:
        flash(sentence, "good")
    if not codes:
        return _to_the_account()
    return make_response(render_template("second_factors/codes.html", codes=codes))


def _ask_for_last(action: str, verb: str) -> Response | None:
    """The page that asks for the password before the last factor goes; None where it may."""
    if second_factors.of(reading(), current_user.id).count != 1:
        return None
    is_sent = "last_password" in request.form
    form = LastFactorForm() if is_sent else LastFactorForm(formdata=None)
    if is_sent and form.validate():
        return None
    page = render_template("second_factors/last.html", form=form, action=action, verb=verb)
    return make_response(page, 429 if form.refusal else 422 if is_sent else 200)


def _app_page(form: AppForm, status: int = 200) -> Response:
    try:
        key = second_factors.app_key(context(reading()))
    except NothingToVerify as refusal:
        flash(refusal.message, "bad")
        return _to_the_account()
    page = render_template("second_factors/app.html", form=form, key=totp.written(key), picture=_picture(key))
    return make_response(page, status)


def _picture(key: bytes) -> str:
    """The QR code as the address of an image: nothing of it is script, style or a request."""
    # Imported by the few who add an app, because it makes every start a tenth of a second longer.
    import qrcode
    from qrcode.image.svg import SvgPathFillImage

    drawn = qrcode.make(totp.address(key, current_user.email), image_factory=SvgPathFillImage, border=3)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.to_string()).decode()}"


def _passkey_page(form: PasskeyForm, status: int = 200) -> Response:
    found = second_factors.of(reading(), current_user.id).passkeys
    options = passkeys.options_to_add(current_user, list(found), passkey_places.here())
    page = render_template("second_factors/passkey.html", form=form, options=options)
    return make_response(page, status)


def _to_the_account() -> Response:
    return go_to(url_for("accounts.show"))
