"""What does a person read when a thing was refused? Refusals and HTTP errors as pages and notices."""

import math
from dataclasses import dataclass

import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask.globals import request_ctx
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from portal import clock, errors
from portal.core import next_steps
from portal.core.reasons import Reason
from portal.core.roles import Action
from portal.web import countries, guards
from portal.web.addresses import is_page

_logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wording:
    """A status, what happened, and what to do about it."""

    status: int
    title: str
    what_to_do: str = ""


# The nearest class in a refusal's family tree counts, so the whole family of errors.py has a line here.
WORDINGS: dict[type[errors.Refusal], Wording] = {
    errors.BadInput: Wording(422, "That does not work as it is", "Go back and change what it names."),
    errors.Unauthorized: Wording(403, "You are not allowed to do this"),
    errors.WrongToken: Wording(403, "You are not allowed to do this"),
    errors.InvalidGrant: Wording(403, "You are not allowed to do this"),
    errors.WrongPassword: Wording(422, "The password is wrong"),
    errors.UserDisabled: Wording(409, "This user is disabled"),
    errors.Forbidden: Wording(403, "You may not open this"),
    errors.NotSupported: Wording(409, "This app does not do that"),
    errors.NotFound: Wording(
        404, "There is nothing here", "Check the address, or start again from your apps."
    ),
    errors.AlreadyExists: Wording(409, "Somebody else holds this value"),
    errors.Overtaken: Wording(409, "Somebody else was faster", "Look at it again, then decide."),
    errors.NothingToVerify: Wording(409, "There is nothing to verify"),
    errors.WrongCode: Wording(422, "The code is wrong"),
    errors.CodeExpired: Wording(409, "The code is too old"),
    errors.CodeNotFound: Wording(404, "There is no live code"),
    errors.KeyReused: Wording(422, "This was sent before with other words"),
    errors.KeyInUse: Wording(409, "This is being done already"),
    errors.TooSoon: Wording(429, "It is too soon for that"),
    errors.Busy: Wording(503, "The server is busy", "Wait a few seconds and reload the page."),
    errors.Refusal: Wording(400, "That did not work"),
}
HTTP_WORDINGS: dict[int, Wording] = {
    400: Wording(400, "The request could not be read", "Go back, reload the page and try again."),
    403: WORDINGS[errors.Forbidden],
    404: WORDINGS[errors.NotFound],
    405: Wording(405, "This page cannot be opened that way", "Start again from your apps."),
    413: Wording(413, "That is too much at once", "Send less text."),
    429: WORDINGS[errors.TooSoon],
    500: Wording(
        500,
        "Something broke on our side",
        "Nothing was saved. Try again; if it stays, tell your operator the request ID.",
    ),
    503: WORDINGS[errors.Busy],
}


def mount(app: Flask) -> None:
    """Answers every refusal and HTTP error outside the REST API with a page in our look."""
    app.register_error_handler(errors.Refusal, show_refusal)
    app.register_error_handler(CSRFError, show_csrf_error)
    app.register_error_handler(HTTPException, show_http_error)
    for trouble in (OperationalError, PoolTimeout):
        app.register_error_handler(trouble, show_database_trouble)


def wording_for(refusal: errors.Refusal) -> Wording:
    """The status and title of a refusal, by the nearest class that has one."""
    return next(WORDINGS[kind] for kind in type(refusal).__mro__ if kind in WORDINGS)


def message_for(refusal: errors.Refusal, standing: guards.Standing) -> str:
    """What a refusal says to somebody of this role, who may not be able to do what its message asks for."""
    if not isinstance(refusal, errors.BadInput) or refusal.reason is not Reason.COUNTRY_CLOSED:
        return refusal.message
    step = next_steps.OPEN_IT if standing.may(Action.CHANGE_SETTINGS) else next_steps.ASK_TO_OPEN_IT
    return f"{next_steps.closed(countries.name(str(refusal.details['country'])))} {step}"


def show_refusal(refusal: errors.Refusal) -> Response:
    """The page of a refusal that no form has caught."""
    seconds = wait_of(refusal)
    again = f" Try again in {_spoken(seconds)}." if isinstance(refusal, errors.TooSoon) else ""
    answer = _page(wording_for(refusal), f"{refusal.message}{again}")
    if seconds:
        answer.headers["Retry-After"] = str(seconds)
    return answer


def wait_of(refusal: errors.Refusal) -> int:
    """How many seconds whoever was refused should wait; 0 where waiting does not help."""
    if isinstance(refusal, errors.TooSoon):
        return max(1, math.ceil((refusal.next_allowed_at - clock.now()) / clock.SECOND))
    return refusal.retry_after if isinstance(refusal, errors.Busy) else 0


def _spoken(seconds: int) -> str:
    if seconds <= 60:
        return "a minute"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minutes" if minutes <= 90 else f"{math.ceil(minutes / 60)} hours"


def show_database_trouble(_error: Exception) -> Response:
    """The page while the database is out of reach or overloaded; its own words stay unsaid."""
    g.is_broken = True
    answer = _page(WORDINGS[errors.Busy], "The database did not answer in time. Nothing was saved.")
    answer.headers["Retry-After"] = "1"
    return answer


def show_csrf_error(_error: CSRFError) -> Response:
    """The page for a form without a token of this session (WEB-03). Nothing was changed.

    A page that was left open until its session ended is led to the sign-in page.
    """
    if request.headers.get("HX-Request") and not current_user.is_authenticated:
        return guards.ask_to_sign_in()
    wording = Wording(400, "This form is too old", "Go back, reload the page and send it again.")
    return _page(
        wording, "The form did not come with the key of your current session, so nothing was changed."
    )


def show_http_error(error: HTTPException) -> Response | HTTPException:
    """The page of an HTTP error; doors for machines word their own."""
    if not is_page(request.path):
        return error
    status = error.code or 500
    if status < 400:
        return error
    wording = HTTP_WORDINGS.get(status, Wording(status, error.name))
    g.is_broken = status >= 500
    answer = _page(wording, "")
    answer.headers.extend((name, value) for name, value in error.get_headers() if name == "Allow")
    return answer


def show_wrong_host(_error: SecurityError) -> Response:
    """The page for a request that names a host which is not ours (WEB-07). Whose it is, is not asked."""
    # Flask looks for no route on such a host, but the page has links all the same.
    request_ctx.url_adapter = current_app.url_map.bind("")
    g.is_broken = True
    wording = Wording(400, "This is not the address of this portal", "Ask your operator for its address.")
    return _page(wording, "The request named a host that Ringback does not answer for.")


def _page(wording: Wording, reason: str) -> Response:
    rule = request.url_rule.rule if request.url_rule else ""
    _logger.info("refused", status=wording.status, title=wording.title, rule=rule)
    # Whatever broke may break again while the rail is drawn, so a broken request gets a page without it.
    has_rail = not g.get("is_broken", False) and current_user.is_authenticated
    page = render_template(
        "errors/refusal.html",
        layout="layouts/app.html" if has_rail else "layouts/plain.html",
        wording=wording,
        reason=reason,
        request_id=g.get("request_id", ""),
        # A refused address is nowhere to come back to, and may hold a number that somebody put there.
        here="",
    )
    return make_response(page, wording.status)
