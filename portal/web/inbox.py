"""The sandbox inbox of an app: a simulated phone."""

from flask import Blueprint, Response, make_response, render_template, request

from portal.core.roles import Action
from portal.database import reading
from portal.errors import NotFound
from portal.models import AppMode
from portal.services import outbox
from portal.web import freshness
from portal.web.forms import serials
from portal.web.guards import Standing, may
from portal.web.render import page_or_fragment, wants_fragment

pages = Blueprint("inbox", __name__, url_prefix="/apps/<id:app_id>/inbox")

PAGE_LENGTH = 30
PAGE, CLOSED = "inbox/show.html", "inbox/closed.html"


@pages.get("")
@may(Action.SEE_INBOX)
def show(standing: Standing) -> Response:
    """What the phone got, newest first. An open page asks again and gets 204 while nothing has changed."""
    if standing.app.mode != AppMode.SANDBOX:
        return _closed(standing)
    before = serials.read(request.args.get("before"))
    ctx = standing.context(reading())
    messages = outbox.inbox(ctx, before=before, limit=PAGE_LENGTH + 1)
    older = messages[PAGE_LENGTH - 1].serial if len(messages) > PAGE_LENGTH else None
    shown = messages[:PAGE_LENGTH]
    seen = freshness.stamp([(message.serial, message.code_is_live) for message in shown])
    if request.args.get("seen") == seen:
        return make_response("", 204)
    newest = serials.read(request.args.get("newest"))
    news = sum(1 for message in shown if message.serial > newest) if newest else 0
    return page_or_fragment(
        PAGE,
        "inbox/_messages.html",
        app=standing.app,
        messages=shown,
        older=older,
        before=before,
        seen=seen,
        news=news,
    )


def _closed(standing: Standing) -> Response:
    """A live app has no inbox; whoever had it open before learns where its messages are. Raises NotFound."""
    if wants_fragment():
        raise NotFound("inbox", "Only sandbox apps have an inbox.")
    return make_response(render_template(CLOSED, app=standing.app), 404)
