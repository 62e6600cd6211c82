"""What does the link of an invite open? Its page, for whoever it was sent to and for nobody else (TEN-08)."""

from flask import Blueprint, Response, flash, make_response, render_template, url_for
from flask_login import current_user
from flask_security.utils import login_user

from portal import clock
from portal.database import reading, transaction
from portal.errors import AlreadyExists, NotFound
from portal.models import ActorKind
from portal.services import invites
from portal.services.context import Caller
from portal.services.invites import UNUSABLE, Offer
from portal.web.forms.passwords import NewPasswordForm
from portal.web.parts import parts
from portal.web.render import go_to

pages = Blueprint("invites", __name__, url_prefix="/invites")


@pages.get("/<id:link>")
def show(link: str) -> Response:
    """What is offered, and how to take it."""
    offer = _offer(link)
    return _page(link, offer, NewPasswordForm(formdata=None, email=offer.email))


@pages.post("/<id:link>")
def accept(link: str) -> Response:
    """Makes the invited person a member, and first an account where there is none for the address."""
    offer = _offer(link)
    if current_user.is_authenticated:
        return _join(link)
    if offer.has_account:
        return _to_sign_in(link)
    form = NewPasswordForm(email=offer.email)
    if not form.validate():
        return _page(link, offer, form, 422)
    hashed = parts().hasher.hash(form.new_password.data or "")
    try:
        with transaction() as session:
            ctx = parts().context(session, Caller(ActorKind.SYSTEM))
            account, app_id = invites.accept_anew(ctx, link, hashed)
    except AlreadyExists:
        return _to_sign_in(link)
    login_user(account, authn_via=["password"])
    return _welcome(app_id, offer)


def _join(link: str) -> Response:
    offer = _offer(link)
    with transaction() as session:
        ctx = parts().context(session, Caller(ActorKind.ACCOUNT, "", current_user.id))
        app_id = invites.accept(ctx, link, current_user)
    return _welcome(app_id, offer)


def _offer(link: str) -> Offer:
    offer = invites.look_at(reading(), link, clock.now())
    if current_user.is_authenticated and current_user.email != offer.email:
        raise NotFound("invite", UNUSABLE)
    return offer


def _to_sign_in(link: str) -> Response:
    return go_to(url_for("security.login", next=url_for(".show", link=link)))


def _welcome(app_id: str, offer: Offer) -> Response:
    flash(f"Welcome. You are {offer.role} of {offer.app_name}.", "good")
    return go_to(url_for("apps.show", app_id=app_id))


def _page(link: str, offer: Offer, form: NewPasswordForm, status: int = 200) -> Response:
    return make_response(render_template("invites/show.html", link=link, offer=offer, form=form), status)
