"""Looking an app's users up: one box that understands whatever support knows, and filters in the address."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from flask import Response, current_app, make_response, render_template, request, url_for

from portal import clock
from portal.core.roles import Action
from portal.core.search_terms import Meaning, understand
from portal.database import reading, transaction
from portal.errors import TooSoon
from portal.services import lookups, user_facets
from portal.services.lookups import Hit, Page, Search
from portal.services.memories import Memory
from portal.services.user_facets import Facets
from portal.web import errors, limit_hits, short_terms
from portal.web.forms.users import UserFilters
from portal.web.guards import Standing, may
from portal.web.render import go_to, page_or_fragment
from portal.web.users import pages

# The id of the box; htmx names it when typing, not sending, is what asks.
SEARCH_BOX = "q"
_FACETS = "ringback_user_facets"


@pages.get("")
@may(Action.SEE_USERS)
def index(standing: Standing) -> Response:
    """Fifty users at a time, narrowed by what the address says."""
    filters = UserFilters.read(request.args)
    if not short_terms.is_short(filters.q):
        return _lead_on(standing, filters)
    outcome = short_terms.OUTCOMES.get(request.args.get("whole", ""), "")
    try:
        return _list(standing, filters, _search(standing, filters), outcome=outcome)
    except TooSoon as refusal:
        return _refuse(standing, filters, refusal)


@pages.post("")
@may(Action.SEE_USERS)
def look_up(standing: Standing) -> Response:
    """Looks for what was typed; a POST because no address may hold a whole number.

    More than six digits that belong to one user lead to that user, everything else to the list. Who is
    still typing stays on the page.
    """
    filters = UserFilters.read(request.form)
    if request.headers.get("HX-Trigger") == SEARCH_BOX:
        return _show_while_typing(standing, filters)
    try:
        return _lead_on(standing, filters)
    except TooSoon as refusal:
        return _refuse(standing, replace(filters, q=""), refusal)


def _address_of(standing: Standing, filters: UserFilters, whole: str | None = None) -> str:
    values: dict[str, Any] = filters.arguments() | {"whole": whole}
    return url_for("users.index", app_id=standing.app.id, **values)


def _lead_on(standing: Standing, filters: UserFilters) -> Response:
    if short_terms.is_short(filters.q):
        return go_to(_address_of(standing, filters))
    found = _who_match(standing, filters.q)
    if len(found) == 1:
        return go_to(url_for("users.show", app_id=standing.app.id, user_id=found[0].user.id))
    is_found = bool(found)
    short = replace(filters, q=short_terms.shortened(filters.q))
    whole = short_terms.outcome(filters.q, is_found=is_found)
    return go_to(_address_of(standing, short, whole))


def _show_while_typing(standing: Standing, filters: UserFilters) -> Response:
    if understand(filters.q).meaning in (Meaning.NUMBER, Meaning.FEW_DIGITS):
        return _wait_for_enter(filters)
    short, hint = filters, ""
    if not short_terms.is_short(filters.q):
        short = replace(filters, q=short_terms.shortened(filters.q))
        hint = short_terms.TO_GO_ON
    answer = _list(standing, short, _search(standing, short), hint=hint)
    answer.headers["HX-Replace-Url"] = _address_of(standing, short)
    return answer


def _wait_for_enter(filters: UserFilters) -> Response:
    """Says what Enter will do: look-ups of numbers are counted, so none is made by a pause in typing."""
    is_long_enough = understand(filters.q).is_number
    hint = short_terms.TO_LOOK_UP if is_long_enough else short_terms.TOO_FEW
    answer = make_response(render_template("users/_understood.html", understood="", outcome="", hint=hint))
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#understood", "outerHTML"
    return answer


def _who_match(standing: Standing, text: str) -> list[Hit]:
    """Up to two users, whatever the filters: a whole number means one person."""
    return _search(standing, UserFilters(q=text), limit=2).hits


def _search(standing: Standing, filters: UserFilters, limit: int = lookups.PAGE) -> Page:
    # A look-up of a number is recorded, so it writes; every other only reads.
    writes = understand(filters.q).is_number
    if writes:
        # It changes neither the app nor the account, which the page then need not load again.
        reading().expunge_all()
    with transaction() if writes else nullcontext(reading()) as session:
        ctx = standing.context(session)
        wanted = Search(text=filters.q, filters=filters.as_filters())
        return lookups.search(ctx, wanted, filters.after, limit)


def _list(
    standing: Standing, filters: UserFilters, page: Page, *, status: int = 200, **said: object
) -> Response:
    # The next fifty rows are asked for by the row that ends these.
    rows_only = request.headers.get("HX-Target", "").startswith("users_rows")
    return page_or_fragment(
        "users/index.html",
        "users/_rows.html" if rows_only else "users/_results.html",
        status,
        app=standing.app,
        filters=filters,
        page=page,
        facets=_facets(standing.app.id),
        **{"outcome": "", "hint": "", "refused": "", "next_at": None} | said,
    )


def _facets(app_id: str) -> Facets:
    usual = Memory(user_facets.of, user_facets.REMEMBERED)
    memory: Memory[Facets] = current_app.extensions.setdefault(_FACETS, usual)
    return memory.of(reading(), app_id, clock.now())


def _refuse(standing: Standing, filters: UserFilters, refusal: TooSoon) -> Response:
    limit_hits.note(standing, refusal)
    said = {"refused": refusal.message, "next_at": refusal.next_allowed_at}
    answer = _list(standing, filters, Page([], None, ""), status=429, **said)
    answer.headers["Retry-After"] = str(errors.wait_of(refusal))
    return answer
