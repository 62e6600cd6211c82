"""The Messages page of an app: its outbox, newest first, how each SMS fared, and what is under way."""

from typing import Any

from flask import Blueprint, Response, make_response, request, url_for

from portal import clock
from portal.core.reasons import Reason
from portal.core.roles import Action
from portal.database import reading
from portal.services import countries, message_counts, message_lists, message_retries, providers
from portal.services.message_counts import Figures
from portal.web import freshness
from portal.web.countries import by_name, name
from portal.web.forms.messages import MessageFilters
from portal.web.freshness import Shown
from portal.web.guards import Standing, may
from portal.web.provider_states import kind_name
from portal.web.render import page_or_fragment, part_wanted

pages = Blueprint("messages", __name__, url_prefix="/apps/<id:app_id>/messages")

PAGE = "messages/index.html"
RESULTS = "messages/_results.html"
# The parts of the page that htmx asks for by themselves, by their ids.
LIVE_ID, LIVE = "live", "messages/_live.html"
ROWS_ID, ROWS = "message_rows", "messages/_rows.html"


@pages.get("")
@may(Action.SEE_MESSAGES)
def index(standing: Standing) -> Response:
    """Fifty messages at a time, narrowed by what the address says; 204 while an open page is up to date."""
    filters = MessageFilters.read(request.args)
    part = part_wanted()
    if part.startswith(ROWS_ID):
        return page_or_fragment(PAGE, ROWS, **_list(standing, filters))
    figures = message_counts.of(reading(), standing.app.id, clock.now())
    if part == LIVE_ID:
        return _live(standing, filters, figures)
    shown = _list(standing, filters) | {"figures": figures}
    shown |= {"seen": _stamp(shown), "news": ""} | _choices(standing, filters, figures)
    answer = page_or_fragment(PAGE, RESULTS, **shown)
    if part:
        # The form of the filters sends empty ones along; the address has none of them.
        address: dict[str, Any] = filters.arguments()
        answer.headers["HX-Push-Url"] = url_for(".index", app_id=standing.app.id, **address)
    return answer


def _live(standing: Standing, filters: MessageFilters, figures: Figures) -> Response:
    """The figures and the list for a page that is open. While it is held, new messages are only counted."""
    already = Shown.read()
    shown = _list(standing, filters, already) | {"figures": figures}
    if already.is_held:
        waiting = message_lists.newer(reading(), standing.app.id, filters.wanted, already.newest)
        shown |= {"waiting": waiting, "newest": already.newest}
    shown["seen"] = _stamp(shown)
    if already.seen == shown["seen"]:
        return make_response("", 204)
    came = shown["waiting"] or sum(each.serial > already.newest for each in shown["messages"])
    shown["news"] = freshness.news(came, "message", "messages") if already.newest else ""
    return page_or_fragment(PAGE, LIVE, **shown)


def _list(standing: Standing, filters: MessageFilters, already: Shown | None = None) -> dict[str, Any]:
    """The list as the address names it, or as a page that is held shows it already."""
    session, app_id, before, down_to = reading(), standing.app.id, filters.before, None
    if already and already.is_held:
        before, down_to = already.newest + 1, already.oldest
    messages, stretch = message_lists.page(session, app_id, filters.wanted, before, down_to)
    can_help = standing.may(Action.HELP_USERS)
    retries = message_retries.worth_it(session, app_id, clock.now()) if can_help else []
    return {
        "app": standing.app,
        "filters": filters,
        "messages": messages,
        "stretch": stretch,
        "retries": {each.serial for each in retries},
        "at_once": message_retries.AT_ONCE,
        "newest": messages[0].serial if messages else 0,
        "waiting": 0,
    }


def _choices(standing: Standing, filters: MessageFilters, figures: Figures) -> dict[str, Any]:
    """What the filters offer: what the newest messages are, the open countries, and what is chosen."""
    open_countries = countries.open_in(reading(), standing.app.id)
    known = {*figures.countries, *open_countries, *filter(None, [filters.country])}
    reasons = {each for each in Reason if each in figures.reasons or each == filters.reason}
    return {
        "countries": [(code, name(code)) for code in by_name(known)],
        "providers": _providers(standing, filters, figures),
        "reasons": sorted(((each, each.sentence) for each in reasons), key=lambda each: each[1]),
    }


def _providers(standing: Standing, filters: MessageFilters, figures: Figures) -> list[tuple[str, str]]:
    """The app's own carriers by what their owners call them, then the kinds that messages had besides."""
    own = providers.all_of(reading(), standing.app.id)
    labels = [(each.id, each.label) for each in own]
    kinds = figures.providers - {each.kind for each in own}
    known = {value for value, _ in labels}
    kinds |= {filters.provider} - known if filters.provider else set()
    return labels + sorted((each, kind_name(each)) for each in kinds)


def _stamp(shown: dict[str, Any]) -> str:
    rows = [(each.serial, each.state, each.reason, each.attempts) for each in shown["messages"]]
    figures: Figures = shown["figures"]
    counts = (sorted(figures.states.items()), figures.is_stalled, figures.is_crowded)
    return freshness.stamp(rows, counts, sorted(shown["retries"]), shown["waiting"])
