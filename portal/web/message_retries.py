"""Trying failed messages again: who would get an SMS, why it is done, and what came of it."""

from collections import Counter

from flask import Blueprint, Response, flash, make_response, render_template, url_for

from portal import clock
from portal.core.deeds import Deed
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, NotFound
from portal.services import message_redrives, message_retries, support_deeds
from portal.services.message_retries import Retry
from portal.services.support_deeds import Order
from portal.web.errors import message_for
from portal.web.filters import grouped
from portal.web.forms.message_retries import RetryForm
from portal.web.guards import Standing, may
from portal.web.message_redrives import AT_THE_FORM
from portal.web.render import go_to

pages = Blueprint("message_retries", __name__, url_prefix="/apps/<id:app_id>/messages/retries")

PAGE = "messages/retry.html"
# What keeps one user from an SMS, and nobody else.
OF_ONE_USER = (*AT_THE_FORM, NotFound)


@pages.get("")
@may(Action.HELP_USERS)
def ask(standing: Standing) -> Response:
    """How many people would get an SMS now, and the field for the reason."""
    return _page(standing, RetryForm(None))


@pages.post("")
@may(Action.HELP_USERS)
def send(standing: Standing) -> Response:
    """Tries those again that were shown and still make sense, each as its own deed with its own entry."""
    form = RetryForm()
    try:
        reason = support_deeds.typed(form.reason.data or "")
    except BadInput as refusal:
        form.reason.errors = [refusal.message]
        return _page(standing, form, status=422)
    retries = message_retries.worth_it(reading(), standing.app.id, clock.now(), form.newest)
    asked = [_try(standing, each, reason) for each in retries[: message_retries.AT_ONCE]]
    told = Counter(why for why in asked if why)
    flash(_told(len(asked) - told.total(), told), "wait" if told or not asked else "good")
    return go_to(url_for("messages.index", app_id=standing.app.id))


def _try(standing: Standing, retry: Retry, reason: str) -> str:
    """Sends one user's code again, or the very message that was set aside; why not, where that failed.

    Each is a transaction of its own: one refusal takes nothing back from the others, and no two numbers are
    ever locked at once.
    """
    try:
        with transaction() as session:
            ctx = standing.context(session)
            if retry.is_dead:
                message_redrives.redrive(ctx, retry.message_id, reason)
            else:
                support_deeds.do(ctx, Order(Deed.RESEND, retry.user_id, reason))
    except OF_ONE_USER as refusal:
        return message_for(refusal, standing)
    return ""


def _told(sent: int, refused: Counter[str]) -> str:
    if not sent and not refused:
        return "Nothing was sent: no failed message makes sense any more."
    parts = [f"{grouped(sent)} SMS on the way."] if sent else []
    parts += [f"{count} not sent: {why}" for why, count in refused.most_common()]
    return " ".join(parts)


def _page(standing: Standing, form: RetryForm, status: int = 200) -> Response:
    retries = message_retries.worth_it(reading(), standing.app.id, clock.now())
    shown = retries[: message_retries.AT_ONCE]
    # Whoever fails after this page was made is not among those that it speaks of.
    form.up_to.data = str(shown[0].serial) if shown else "0"
    page = render_template(
        PAGE, app=standing.app, form=form, people=len(shown), has_more=len(retries) > len(shown)
    )
    return make_response(page, status)
