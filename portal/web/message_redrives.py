"""Trying one message again that was set aside: what will happen, why it is done, and what came of it."""

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal import clock
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import (
    BadInput,
    Busy,
    CodeExpired,
    NotFound,
    NothingToVerify,
    NotSupported,
    Overtaken,
    Refusal,
    TooSoon,
    UserDisabled,
)
from portal.models import MessageState
from portal.services import message_lists, message_redrives, message_retries, support_deeds
from portal.services.message_lists import Listed
from portal.web.errors import wording_for
from portal.web.forms.deeds import ReasonForm
from portal.web.guards import Standing, may
from portal.web.render import go_to

pages = Blueprint("message_redrives", __name__, url_prefix="/apps/<id:app_id>/messages/<id:message_id>/retry")

PAGE = "messages/redrive.html"
# What a person can put right, or read, on this very page.
AT_THE_FORM = (BadInput, Busy, CodeExpired, NothingToVerify, NotSupported, Overtaken, TooSoon, UserDisabled)


@pages.get("")
@may(Action.HELP_USERS)
def ask(standing: Standing, message_id: str) -> Response:
    """What trying it again will do, and the field for the reason."""
    return _page(standing, _message(standing, message_id), ReasonForm(None))


@pages.post("")
@may(Action.HELP_USERS)
def send(standing: Standing, message_id: str) -> Response:
    """Puts it back into the outbox, or says at the form why not and keeps what was typed."""
    message, form = _message(standing, message_id), ReasonForm()
    try:
        with transaction() as session:
            ctx = standing.context(session)
            message_redrives.redrive(ctx, message_id, form.reason.data or "")
    except AT_THE_FORM as refusal:
        return _page(standing, message, form, refusal)
    flash("The SMS is on its way again.", "good")
    return go_to(url_for("messages.index", app_id=standing.app.id))


def _message(standing: Standing, message_id: str) -> Listed:
    """The message, while it is set aside. Raises NotFound for every other."""
    found = message_lists.one(reading(), standing.app.id, message_id)
    if found is None or found.state != MessageState.DEAD:
        raise NotFound("message", "No such message is set aside in this app. It may have been tried again.")
    return found


def _page(standing: Standing, message: Listed, form: ReasonForm, refusal: Refusal | None = None) -> Response:
    at_field = isinstance(refusal, BadInput) and refusal.field == support_deeds.REASON_FIELD
    if at_field and refusal is not None:
        form.reason.errors = [refusal.message]
    worth_it = message_retries.worth_it(reading(), standing.app.id, clock.now())
    page = render_template(
        PAGE,
        app=standing.app,
        message=message,
        form=form,
        makes_sense=message.id in {each.message_id for each in worth_it},
        refusal=None if at_field else refusal,
    )
    return make_response(page, wording_for(refusal).status if refusal else 200)
