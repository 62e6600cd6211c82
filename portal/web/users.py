"""The users of an app: looking them up, and one user's page."""

from flask import Blueprint, Response, current_app, make_response, render_template, request

from portal import clock
from portal.core.roles import Action
from portal.database import reading
from portal.services import audit, lookups, outbox, users
from portal.web.forms.users import UserFilters
from portal.web.guards import Standing, may
from portal.web.render import page_or_fragment

pages = Blueprint("users", __name__, url_prefix="/apps/<id:app_id>/users")

AUDIT_ENTRIES = 20
PAGE_LENGTH = 50


@pages.get("")
@may(Action.SEE_USERS)
def index(standing: Standing) -> Response:
    """Fifty users at a time, newest first, narrowed by what the address says."""
    filters = UserFilters.read(request.args)
    wanted = lookups.Search(
        text=filters.q, verified=filters.verified, pending=filters.pending, disabled=filters.disabled
    )
    page = lookups.search(
        reading(), standing.app.id, wanted, after=filters.after, now=clock.now(), limit=PAGE_LENGTH
    )
    # The next fifty rows are asked for by the row that ends these.
    rows_only = request.headers.get("HX-Target", "").startswith("users_rows")
    fragment = "users/_rows.html" if rows_only else "users/_results.html"
    return page_or_fragment("users/index.html", fragment, app=standing.app, filters=filters, page=page)


@pages.get("/<id:user_id>")
@may(Action.SEE_USERS)
def show(standing: Standing, user_id: str) -> Response:
    """One user: which number is in force, which one waits, what was sent, what happened. Numbers masked."""
    session = reading()
    ctx = current_app.extensions["ringback"].context(session, standing.caller)
    user = users.get(ctx, user_id)
    return make_response(
        render_template(
            "users/show.html",
            app=standing.app,
            user=user,
            messages=outbox.messages_of_user(session, standing.app.id, user.id),
            entries=audit.of_user(session, standing.app.id, user.id, AUDIT_ENTRIES),
        )
    )
