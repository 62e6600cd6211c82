"""One user of an app, on a page."""

from flask import Blueprint, Response, make_response, request

from portal.core.roles import Action
from portal.core.why_no_sms import Answer
from portal.database import reading
from portal.models import User
from portal.services import app_settings, number_cards, timelines, users, why_no_sms
from portal.services.context import Context
from portal.services.number_cards import NumberCard
from portal.services.timelines import Page
from portal.web import filters, freshness, timeline_days, user_actions
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment, wants_fragment
from portal.web.user_actions import Choice

pages = Blueprint("users", __name__, url_prefix="/apps/<id:app_id>/users")

PAGE = "users/show.html"


@pages.get("/<id:user_id>")
@may(Action.SEE_USERS)
def show(standing: Standing, user_id: str) -> Response:
    """One user: which number is in force, which one waits, why no SMS came, what happened. Numbers masked.

    An open page asks again for what changes, and gets 204 while nothing has.
    """
    ctx = standing.context(reading())
    user = users.get(ctx, user_id)
    if "before" in request.args:
        return _older(standing, ctx, user)
    timeline = _timeline(ctx, user)
    if timeline is None:
        # So much happened since the page was opened that it had better start again.
        return make_response("", 200, {"HX-Refresh": "true"}) if wants_fragment() else go_to(request.path)
    app = app_settings.load(ctx)
    card = number_cards.load(ctx, app, user)
    why = why_no_sms.explain(ctx, app, card)
    choices = user_actions.choices(standing, user.id)
    seen = _stamp(card, why, timeline, choices)
    if request.args.get("seen") == seen:
        return make_response("", 204)
    return page_or_fragment(
        PAGE,
        "users/_live.html",
        app=standing.app,
        user=user,
        choices=choices,
        card=card,
        why=why,
        timeline=timeline,
        days=timeline_days.by_day(timeline.events),
        before=None,
        seen=seen,
        sees_templates=standing.may(Action.SEE_SMS_TEMPLATES),
    )


def _timeline(ctx: Context, user: User) -> Page | None:
    """The newest events: a page of them, or all that an open page shows and what came since."""
    shown = request.args.get("end")
    if shown is None:
        return timelines.page(ctx, user.id)
    return timelines.since(ctx, user.id, timelines.read_cursor(shown))


def _older(standing: Standing, ctx: Context, user: User) -> Response:
    """A later page of the timeline. Asked for by htmx, it goes on under the day that `under` names."""
    before = request.args["before"]
    timeline = timelines.page(ctx, user.id, timelines.read_cursor(before))
    return page_or_fragment(
        PAGE,
        "users/_older.html",
        app=standing.app,
        user=user,
        choices=user_actions.choices(standing, user.id),
        timeline=timeline,
        days=timeline_days.by_day(timeline.events),
        before=before,
        under=request.args.get("under", ""),
    )


def _stamp(card: NumberCard, why: Answer, timeline: Page, choices: list[Choice]) -> str:
    """A word that changes when the page would look different, but for how long ago things happened."""
    user, attempt = card.user, card.attempt
    numbers = (user.phone_number, user.phone_number_verified, card.pending, user.disabled, user.locale)
    lives = (
        filters.left(user.pending_until or 0),
        filters.left(attempt.code_expires_at) if attempt else "",
        (attempt.state, attempt.guesses, attempt.sends) if attempt else "",
    )
    facts = (user.modified_at, card.wording, card.failed_sends, why, choices)
    state = repr((numbers, lives, facts, timeline.events))
    return freshness.stamp(state)
