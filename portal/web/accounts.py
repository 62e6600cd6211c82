"""One's own account: the password, and the browsers that are signed in."""

from flask import Response, flash, make_response, render_template, request, session, url_for
from flask_login import current_user

from portal import clock
from portal.core import device_names
from portal.database import reading, transaction
from portal.errors import NotFound
from portal.services import account_events, own_accounts, second_factors
from portal.web import account_events as event_words
from portal.web import fresh_sign_ins
from portal.web.account_pages import context, pages
from portal.web.forms import serials
from portal.web.forms.passwords import ChangePasswordForm
from portal.web.guards import signed_in
from portal.web.parts import parts
from portal.web.render import go_to, part_wanted
from portal.web.server_sessions import ACCOUNT

PAGE = "accounts/show.html"
# What htmx asks for by itself, by its id.
ROWS_ID, ROWS = "event_rows", "accounts/_event_rows.html"
# What is told before anybody asks for older events, so that the page stays short.
NEWEST = 5


@pages.get("")
@signed_in
def show() -> Response:
    """The account of whoever is signed in, or more of what happened to it."""
    if part_wanted().startswith(ROWS_ID):
        return make_response(render_template(ROWS, **_events()))
    return _page(_password_form())


@pages.post("/password")
@signed_in
def change_password() -> Response:
    """Sets a new password and ends every other sign-in; refused, the right current one stays typed."""
    form = _password_form(is_sent=True)
    if not form.validate():
        return _page(form, 429 if form.refusal else 422)
    hashed = parts().hasher.hash(form.new_password.data or "")
    with transaction() as rows:
        name = own_accounts.change_password(context(rows), hashed)
    # This browser goes on under a new key; the sessions of all others are gone.
    session[ACCOUNT] = name
    flash("Changed your password. Every other browser is signed out.", "good")
    return go_to(url_for(".show"))


@pages.post("/sign-ins/<id:sign_in_id>/removal")
@signed_in
def end_sign_in(sign_in_id: str) -> Response:
    """Signs one browser out, maybe this one."""
    try:
        with transaction() as rows:
            own_accounts.end_sign_in(context(rows), sign_in_id)
    except NotFound as refusal:
        flash(refusal.message, "bad")
    else:
        flash("Signed that browser out.", "good")
    return go_to(url_for(".show"))


@pages.post("/sign-ins/removal")
@signed_in
def end_all_sign_ins() -> Response:
    """Signs out everywhere, here too."""
    with transaction() as rows:
        own_accounts.end_all_sign_ins(context(rows))
    return go_to(url_for("security.login"))


def _password_form(*, is_sent: bool = False) -> ChangePasswordForm:
    whose = {
        "email": current_user.email,
        "has_second_factor": bool(second_factors.of(reading(), current_user.id)),
    }
    return ChangePasswordForm(**whose) if is_sent else ChangePasswordForm(None, **whose)


def _page(form: ChangePasswordForm, status: int = 200) -> Response:
    page = render_template(
        PAGE,
        form=form,
        factors=second_factors.of(reading(), current_user.id),
        sign_ins=own_accounts.sign_ins(reading(), current_user.id, clock.now()),
        this=fresh_sign_ins.session_id(),
        device=device_names.words,
        **_events(),
    )
    return make_response(page, status)


def _events() -> dict[str, object]:
    before = serials.read(request.args.get("before"))
    most = NEWEST if before is None else account_events.PAGE
    events, older = account_events.page(reading(), current_user.id, before, most)
    return {"events": events, "before": before, "older": older, "words_of": event_words.words}
