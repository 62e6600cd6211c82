"""Seeing a user's whole numbers: a reason first, then one answer that shows them for a minute (TEN-08)."""

from typing import Final

from flask import Blueprint, Response, make_response, render_template, url_for

from portal.core.number_groups import grouped
from portal.core.roles import Action
from portal.database import reading, transaction
from portal.errors import BadInput, NotSupported, Refusal, TooSoon
from portal.services import reveals, support_deeds, users
from portal.services.reveals import Revealed
from portal.web import limit_hits
from portal.web.errors import wording_for
from portal.web.forms.deeds import ReasonForm
from portal.web.guards import Standing, may

pages = Blueprint("reveals", __name__, url_prefix="/apps/<id:app_id>/users/<id:user_id>/reveal")

PAGE = "users/reveal.html"
SHOWN_FOR_S: Final = 60


@pages.get("")
@may(Action.REVEAL_NUMBERS, asks_first=True)
def ask(standing: Standing, user_id: str) -> Response:
    """The field for the reason. Opening or reloading this address never shows a number."""
    return _page(standing, user_id, ReasonForm(formdata=None))


@pages.post("")
@may(Action.REVEAL_NUMBERS)
def reveal(standing: Standing, user_id: str) -> Response:
    """Shows the numbers for a minute, or says at the form why not and keeps what was typed.

    They are in this answer and nowhere else, which is why there is no redirect.
    """
    form = ReasonForm()
    try:
        with transaction() as session:
            ctx = standing.context(session)
            revealed = reveals.reveal(ctx, user_id, form.reason.data or "")
    except (BadInput, TooSoon, NotSupported) as refusal:
        if isinstance(refusal, TooSoon):
            limit_hits.note(standing, refusal)
        return _page(standing, user_id, form, refusal=refusal)
    answer = _page(standing, user_id, ReasonForm(formdata=None), revealed=revealed)
    # Where no JavaScript runs, the browser itself leaves the page.
    user_page = url_for("users.show", app_id=standing.app.id, user_id=user_id)
    answer.headers["Refresh"] = f"{SHOWN_FOR_S}; url={user_page}"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(
    standing: Standing,
    user_id: str,
    form: ReasonForm,
    *,
    refusal: Refusal | None = None,
    revealed: Revealed | None = None,
) -> Response:
    ctx = standing.context(reading())
    user = users.get(ctx, user_id)
    if isinstance(refusal, BadInput) and refusal.field == support_deeds.REASON_FIELD:
        form.reason.errors = [refusal.message]
    page = render_template(
        PAGE,
        app=standing.app,
        user=user,
        form=form,
        refusal=refusal if isinstance(refusal, TooSoon) else None,
        numbers=_worded(revealed),
        seconds=SHOWN_FOR_S,
        allowed=ctx.profile.reveals_per_hour,
    )
    return make_response(page, wording_for(refusal).status if refusal else 200)


def _worded(revealed: Revealed | None) -> list[tuple[str, str]]:
    """What each whole number is, and how it is written."""
    if revealed is None:
        return []
    both = (("Current", revealed.current), ("Pending", revealed.pending))
    return [(word, grouped(number)) for word, number in both if number is not None]
