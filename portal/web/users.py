"""The users of an app: looking them up, and one user's page."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for

from portal import clock
from portal.core.roles import Action
from portal.database import reading
from portal.models import User
from portal.services import audit, lookups, outbox, users
from portal.web import short_terms
from portal.web.forms.users import UserFilters
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment

pages = Blueprint("users", __name__, url_prefix="/apps/<id:app_id>/users")

AUDIT_ENTRIES = 20
PAGE_LENGTH = 50
# The id of the box; htmx names it when typing, not sending, is what asks.
SEARCH_BOX = "q"


@pages.get("")
@may(Action.SEE_USERS)
def index(standing: Standing) -> Response:
    """Fifty users at a time, newest first, narrowed by what the address says."""
    filters = UserFilters.read(request.args)
    if not short_terms.is_short(filters.q):
        return _lead_on(standing, filters)
    return _list(standing, filters, outcome=short_terms.OUTCOMES.get(request.args.get("whole", ""), ""))


@pages.post("")
@may(Action.SEE_USERS)
def look_up(standing: Standing) -> Response:
    """Looks for what was typed. It changes nothing; a POST because no address may hold a whole number.

    More than six digits that belong to one user lead to that user, everything else to the list. Who is
    still typing stays on the page.
    """
    filters = UserFilters.read(request.form)
    is_typing = request.headers.get("HX-Trigger") == SEARCH_BOX
    return _show_while_typing(standing, filters) if is_typing else _lead_on(standing, filters)


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


def _address_of(standing: Standing, filters: UserFilters, whole: str | None = None) -> str:
    values: dict[str, Any] = filters.arguments() | {"whole": whole}
    return url_for(".index", app_id=standing.app.id, **values)


def _lead_on(standing: Standing, filters: UserFilters) -> Response:
    if short_terms.is_short(filters.q):
        return go_to(_address_of(standing, filters))
    found = _who_match(standing, filters.q)
    if len(found) == 1:
        return go_to(url_for(".show", app_id=standing.app.id, user_id=found[0].id))
    is_found = bool(found)
    short = replace(filters, q=short_terms.shortened(filters.q, is_found=is_found))
    whole = short_terms.outcome(filters.q, is_found=is_found)
    return go_to(_address_of(standing, short, whole))


def _show_while_typing(standing: Standing, filters: UserFilters) -> Response:
    short, hint = filters, ""
    if not short_terms.is_short(filters.q):
        is_found = bool(_who_match(standing, filters.q))
        short = replace(filters, q=short_terms.shortened(filters.q, is_found=is_found))
        hint = short_terms.TO_GO_ON
    answer = _list(standing, short, hint=hint)
    answer.headers["HX-Replace-Url"] = _address_of(standing, short)
    return answer


def _who_match(standing: Standing, text: str) -> list[User]:
    """Up to two users, whatever the filters: a whole number means one person."""
    wanted = lookups.Search(text=text)
    return lookups.search(reading(), standing.app.id, wanted, after=None, now=clock.now(), limit=2).users


def _list(standing: Standing, filters: UserFilters, *, outcome: str = "", hint: str = "") -> Response:
    wanted = lookups.Search(
        text=filters.q, verified=filters.verified, pending=filters.pending, disabled=filters.disabled
    )
    page = lookups.search(
        reading(), standing.app.id, wanted, after=filters.after, now=clock.now(), limit=PAGE_LENGTH
    )
    # The next fifty rows are asked for by the row that ends these.
    rows_only = request.headers.get("HX-Target", "").startswith("users_rows")
    return page_or_fragment(
        "users/index.html",
        "users/_rows.html" if rows_only else "users/_results.html",
        app=standing.app,
        filters=filters,
        page=page,
        outcome=outcome,
        hint=hint,
    )
