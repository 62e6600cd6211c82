"""A forgotten password: asking for a link, and setting a new one by it. All addresses are answered alike."""

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal import clock
from portal.database import reading, transaction
from portal.errors import NotSupported
from portal.models import ActorKind
from portal.services import password_resets, second_factors
from portal.services.context import Caller
from portal.web import mails
from portal.web.forms.passwords import AskForLinkForm, NewPasswordForm
from portal.web.parts import parts
from portal.web.render import go_to

pages = Blueprint("password_resets", __name__, url_prefix="/password-reset")


@pages.get("")
def ask() -> Response:
    """Asks for the address."""
    return _ask_page(AskForLinkForm(formdata=None))


@pages.post("")
def send() -> Response:
    """Mails a link where there is an account, and says the same where there is none (ENU-05)."""
    form = AskForLinkForm()
    if not form.validate():
        return _ask_page(form, 422)
    mailer = mails.mailer()
    address = (form.email.data or "").strip().lower()
    with transaction() as session:
        ctx = parts().context(session, Caller(ActorKind.SYSTEM))
        key = password_resets.ask(ctx, address)
    # Written for whoever has no account, too, and handed over behind the answer (ENU-02).
    mail = mails.password_reset(address, key or password_resets.NO_KEY)
    answer = make_response(render_template("password_resets/sent.html", address=address))
    if key is not None:
        answer.call_on_close(lambda: mailer.send(mail))
    return answer


@pages.get("/<id:link>")
def show(link: str) -> Response:
    """The form of a new password, for whoever holds a link."""
    return _page(link, _form(link, is_sent=False))


@pages.post("/<id:link>")
def use(link: str) -> Response:
    """Sets it. Nobody is signed in by a link: the new password is typed, and the second factor asked for."""
    form = _form(link, is_sent=True)
    if not form.validate():
        return _page(link, form, 422)
    hashed = parts().hasher.hash(form.new_password.data or "")
    with transaction() as session:
        password_resets.use(parts().context(session, Caller(ActorKind.SYSTEM)), link, hashed)
    flash("Your new password is set. Sign in with it.", "good")
    return go_to(url_for("security.login"))


def _form(link: str, *, is_sent: bool) -> NewPasswordForm:
    account = password_resets.look_at(reading(), link, clock.now())
    has_factor = bool(second_factors.of(reading(), account.id))
    given = () if is_sent else (None,)
    return NewPasswordForm(*given, email=account.email, has_second_factor=has_factor)


def _ask_page(form: AskForLinkForm, status: int = 200) -> Response:
    try:
        mails.mailer()
        works = True
    except NotSupported:
        works = False
    return make_response(render_template("password_resets/new.html", form=form, works=works), status)


def _page(link: str, form: NewPasswordForm, status: int = 200) -> Response:
    return make_response(render_template("password_resets/show.html", form=form, link=link), status)
