"""The Audit page of an app: who did what to whom, when and why, newest first."""

from typing import Any

from flask import Blueprint, Response, make_response, request, url_for

from portal.core.roles import Action
from portal.database import reading
from portal.models import ActorKind
from portal.services import audit_log
from portal.services.audit_kinds import Kind
from portal.services.audit_log import Told
from portal.web import audit_rows, audit_words, freshness
from portal.web.forms.audit_log import AuditFilters
from portal.web.freshness import Shown
from portal.web.guards import Standing, may
from portal.web.render import page_or_fragment, part_wanted

pages = Blueprint("audit_log", __name__, url_prefix="/apps/<id:app_id>/audit")

PAGE = "audit_log/index.html"
RESULTS = "audit_log/_results.html"
# The parts of the page that htmx asks for by themselves, by their ids.
LIVE_ID, LIVE = "live", "audit_log/_live.html"
ROWS_ID, ROWS = "audit_rows", "audit_log/_rows.html"


@pages.get("")
@may(Action.SEE_AUDIT)
def index(standing: Standing) -> Response:
    """Fifty entries at a time, narrowed by what the address says; 204 while an open page is up to date."""
    filters = AuditFilters.read(request.args)
    part = part_wanted()
    if part.startswith(ROWS_ID):
        return page_or_fragment(PAGE, ROWS, **_list(standing, filters))
    if part == LIVE_ID:
        return _live(standing, filters)
    shown = _list(standing, filters)
    shown |= {"seen": _stamp(shown), "news": "", "kinds": list(Kind), "actors": list(ActorKind)}
    answer = page_or_fragment(PAGE, RESULTS, **shown)
    if part:
        # The form of the filters sends empty ones along; the address has none of them.
        address: dict[str, Any] = filters.arguments()
        answer.headers["HX-Push-Url"] = url_for(".index", app_id=standing.app.id, **address)
    return answer


def _live(standing: Standing, filters: AuditFilters) -> Response:
    """The list for a page that is open. While it is held, new entries are only counted."""
    already = Shown.read()
    shown = _list(standing, filters, already)
    if already.is_held:
        waiting = audit_log.newer(reading(), standing.app.id, filters.wanted, already.newest)
        shown |= {"waiting": waiting, "newest": already.newest}
    shown["seen"] = _stamp(shown)
    if already.seen == shown["seen"]:
        return make_response("", 204)
    came = shown["waiting"] or sum(each.id > already.newest for each in shown["entries"])
    shown["news"] = freshness.news(came, "entry", "entries") if already.newest else ""
    return page_or_fragment(PAGE, LIVE, **shown)


def _list(standing: Standing, filters: AuditFilters, already: Shown | None = None) -> dict[str, Any]:
    """The list as the address names it, or as a page that is held shows it already."""
    before, down_to = filters.before, None
    if already and already.is_held:
        before, down_to = already.newest + 1, already.oldest
    entries, stretch = audit_log.page(reading(), standing.app.id, filters.wanted, before, down_to)
    return {
        "app": standing.app,
        "filters": filters,
        "entries": [audit_words.for_role(standing.role, each) for each in entries],
        "stretch": stretch,
        "newest": entries[0].id if entries else 0,
        "waiting": 0,
        "lines": audit_words.lines,
        "rows_of": audit_rows.of,
    }


def _stamp(shown: dict[str, Any]) -> str:
    entries: list[Told] = shown["entries"]
    return freshness.stamp([each.id for each in entries], shown["waiting"])
