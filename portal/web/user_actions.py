"""Doing something to a user: a confirmation that says what will happen, the deed, and back to the user."""

from dataclasses import dataclass

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal.core import number_places, prices
from portal.core.deeds import Deed, Facts
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound, NothingToVerify, NotSupported, Overtaken, Refusal, TooSoon
from portal.services import confirmations, segment_prices, support_deeds
from portal.services.confirmations import Confirmation, Offer
from portal.services.support_deeds import Order
from portal.web import previews
from portal.web.errors import message_for, wording_for
from portal.web.filters import counted
from portal.web.forms.deeds import DeedForm
from portal.web.guards import Standing, may
from portal.web.render import go_to

pages = Blueprint("user_actions", __name__, url_prefix="/apps/<id:app_id>/users/<id:user_id>/actions")

PAGE = "users/act.html"
# What a person can put right, or read, on this very page.
AT_THE_FORM = (BadInput, TooSoon, Overtaken, NotSupported, NothingToVerify)


@pages.get("/mark-verified")
@may(Action.MARK_VERIFIED)
def ask_to_mark_verified(standing: Standing, user_id: str) -> Response:
    """What marking the waiting number as verified will do; for owners only."""
    return _show(standing, user_id, Deed.MARK_VERIFIED)


@pages.post("/mark-verified")
@may(Action.MARK_VERIFIED)
def mark_verified(standing: Standing, user_id: str) -> Response:
    """Makes the waiting number the user's, or says at the form why not."""
    return _carry_out(standing, user_id, Deed.MARK_VERIFIED)


@pages.get("/erase")
@may(Action.ERASE_USERS, asks_first=True)
def ask_to_erase(standing: Standing, user_id: str) -> Response:
    """What erasing the user will remove; for owners only, after a fresh sign-in."""
    return _show(standing, user_id, Deed.ERASE)


@pages.post("/erase")
@may(Action.ERASE_USERS)
def erase(standing: Standing, user_id: str) -> Response:
    """Erases the user, or says at the form why not."""
    return _carry_out(standing, user_id, Deed.ERASE)


@pages.get("/<id:deed>")
@may(Action.HELP_USERS)
def ask(standing: Standing, user_id: str, deed: str) -> Response:
    """What a deed will do, to whom, and the field for the reason."""
    return _show(standing, user_id, _deed(deed))


@pages.post("/<id:deed>")
@may(Action.HELP_USERS)
def act(standing: Standing, user_id: str, deed: str) -> Response:
    """Does it, or says at the form why not and keeps what was typed."""
    return _carry_out(standing, user_id, _deed(deed))


@dataclass(frozen=True, slots=True)
class Choice:
    """A deed on the user's page; `why_not` where it could only be refused, until a time (Unix ms)."""

    deed: Deed
    why_not: str = ""
    until: int | None = None


def choices(standing: Standing, user_id: str) -> list[Choice]:
    """The deeds that the user's page shows this person. Raises NotFound."""
    ctx = standing.context(reading())
    offers = confirmations.offered(ctx, user_id)
    return [_choice(standing, offer) for offer in offers if standing.may(offer.deed.action)]


def _choice(standing: Standing, offer: Offer) -> Choice:
    if offer.fault is not None:
        return Choice(offer.deed, message_for(offer.fault, standing))
    if offer.limit is not None:
        return Choice(offer.deed, offer.limit.reason.sentence, offer.limit.until)
    return Choice(offer.deed, offer.obstacle or "")


def _deed(word: str) -> Deed:
    """The deed that an address names, if support may do it; the others have addresses of their own."""
    for deed in Deed:
        if deed == word and deed.action is Action.HELP_USERS:
            return deed
    raise NotFound("deed", "There is no such action.")


def _carry_out(standing: Standing, user_id: str, deed: Deed) -> Response:
    form = DeedForm()
    order = Order(deed, user_id, form.reason.data or "", form.seen.data or "")
    try:
        with transaction() as session:
            ctx = standing.context(session)
            facts = support_deeds.do(ctx, order)
    except AT_THE_FORM as refusal:
        return _show(standing, user_id, deed, form, refusal)
    flash(_done(deed, facts), "good")
    if deed is Deed.ERASE:
        return go_to(url_for("users.index", app_id=standing.app.id))
    return go_to(url_for("users.show", app_id=standing.app.id, user_id=user_id))


def _show(
    standing: Standing, user_id: str, deed: Deed, form: DeedForm | None = None, refusal: Refusal | None = None
) -> Response:
    ctx = standing.context(reading())
    about = confirmations.of(ctx, deed, user_id)
    form = form or DeedForm(formdata=None)
    # What is shown now is what the next click is about.
    form.seen.data = about.stamp
    at_field = isinstance(refusal, BadInput) and refusal.field == support_deeds.REASON_FIELD
    if at_field and refusal is not None:
        form.reason.errors = [refusal.message]
    status = wording_for(refusal).status if refusal else 200 if about.makes_sense else 409
    page = render_template(
        PAGE,
        app=standing.app,
        about=about,
        form=form,
        refused="" if refusal is None or at_field else message_for(refusal, standing),
        fault=_fault(standing, about),
        sms=_sms(standing, about),
    )
    return make_response(page, status)


def _fault(standing: Standing, about: Confirmation) -> str:
    fault = about.next_send.fault if about.next_send else None
    return "" if fault is None else message_for(fault, standing)


def _sms(standing: Standing, about: Confirmation) -> dict[str, object] | None:
    """What the SMS of a resend takes: its segments, and the price of a thousand where the app has one."""
    if about.next_send is None:
        return None
    app, country = standing.app, number_places.place(about.next_send.number)
    count = previews.of(app, about.next_send.wording.body).cut.count
    price = segment_prices.of(reading(), app.id).get(country or "")
    cost = None if price is None else prices.per_thousand(price, count, app.currency)
    return {"segments": count, "cost": cost, "country": country}


def _done(deed: Deed, before: Facts) -> str:
    ended = f"{counted(before.tokens, 'token')} ended"
    return {
        Deed.RESEND: "The code is on its way.",
        Deed.CANCEL_CHANGE: "The pending change is cancelled. Its code no longer works.",
        Deed.MARK_VERIFIED: "The number is marked as verified and logs in from now on.",
        Deed.ENABLE: "The user is enabled and can log in again.",
        Deed.END_TOKENS: f"{ended}. The user has to log in again.",
        Deed.FREE_NUMBER: "The number is free. Whoever verifies it next gets it.",
        Deed.DISABLE: f"The user is disabled. {ended}.",
        Deed.ERASE: "The user is erased. The receipt stands in the audit log.",
    }[deed]
