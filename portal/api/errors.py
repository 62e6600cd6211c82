"""How does a refusal read on the wire? ONE table from refusals to statuses, codes and fields (contract e)."""

import json
import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Response, g, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, default_exceptions

from portal import clock, errors
from portal.api import refused_sends
from portal.api.fields import SHORTEST_PASSWORD
from portal.api.operations import api_blueprint, vendor
from portal.api.refusals import (
    AccountTypeNotSupported,
    InvalidJson,
    NoAccountProvided,
    PasswordTooShort,
    WrongMediaType,
    WrongRefreshToken,
)
from portal.errors import Refusal

_LONGEST_ECHO = 200
_BUSY = "RESOURCE_TEMPORARILY_UNAVAILABLE"
_logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: the status, the contract's errorCode, and the fields that follow its message."""

    status: int
    code: str
    fields: tuple[str, ...] = ()


_USER = ("userID", "appID")
_UNAUTHORIZED = ("authenticatedAppID", "authenticatedPrincipalID")

TABLE: dict[type[Refusal], Line] = {
    Refusal: Line(400, "INVALID_INPUT_DATA"),
    errors.BadInput: Line(400, "INVALID_INPUT_DATA", ("field", "reason")),
    PasswordTooShort: Line(400, "PASSWORD_TOO_SHORT", ("minimumLength",)),
    InvalidJson: Line(400, "INVALID_JSON"),
    WrongMediaType: Line(415, "INVALID_INPUT_DATA", ("field",)),
    NoAccountProvided: Line(400, "NO_ACCOUNT_PROVIDED"),
    AccountTypeNotSupported: Line(400, "ACCOUNT_TYPE_NOT_SUPPORTED"),
    errors.Unauthorized: Line(401, "UNAUTHORIZED", _UNAUTHORIZED),
    # The token itself is never repeated (PII-02).
    errors.WrongToken: Line(403, "WRONG_TOKEN", ("appID",)),
    WrongRefreshToken: Line(403, "WRONG_REFRESH_TOKEN"),
    errors.InvalidGrant: Line(400, "invalid_grant", ("error", "error_description")),
    errors.WrongPassword: Line(401, "WRONG_PASSWORD", ("appID", "userID")),
    errors.UserDisabled: Line(401, "USER_DISABLED", _USER),
    errors.Forbidden: Line(403, "OPERATION_NOT_SUPPORTED"),
    errors.NotSupported: Line(403, "OPERATION_NOT_SUPPORTED"),
    errors.NotFound: Line(404, "USER_NOT_FOUND", ("field", "value", "appID")),
    errors.AlreadyExists: Line(409, "USER_ALREADY_EXISTS", ("field", "value")),
    errors.Overtaken: Line(409, "USER_ALREADY_EXISTS", ("field", "value")),
    errors.NothingToVerify: Line(400, "INVALID_ACCOUNT_STATUS", (*_USER, "accountType")),
    errors.WrongCode: Line(403, "INVALID_VERIFICATION_CODE", (*_USER, "verificationCode")),
    errors.CodeExpired: Line(410, "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED", _USER),
    errors.CodeNotFound: Line(404, "VERIFICATION_CODE_NOT_FOUND", _USER),
    errors.KeyReused: Line(422, "INVALID_INPUT_DATA", ("field",)),
    errors.KeyInUse: Line(409, _BUSY, ("field",)),
    # The SDK knows 429 only by a body without errorCode (contract c.3), so `answer_to` leaves this one out.
    errors.TooSoon: Line(429, "TOO_MANY_REQUESTS", ("reason", "nextAllowedAt")),
    errors.Busy: Line(503, _BUSY, ("reason",)),
}

# What is missing, by the noun that errors.NotFound names; every other noun is a user.
NOT_FOUND: dict[str, Line] = {
    "app": Line(404, "APP_NOT_FOUND", ("appID",)),
    "phone number": Line(404, "USER_ADDRESS_NOT_FOUND", _USER),
    "e-mail address": Line(404, "USER_ADDRESS_NOT_FOUND", _USER),
    "parameter": Line(404, "APP_CONFIG_PARAMETER_NOT_FOUND"),
}


def line_of(refusal: Refusal) -> Line:
    """The table's line for a refusal: its own, or its nearest ancestor's."""
    if isinstance(refusal, errors.NotFound) and refusal.kind in NOT_FOUND:
        return NOT_FOUND[refusal.kind]
    return next(TABLE[kind] for kind in type(refusal).__mro__ if kind in TABLE)


def answer_to(refusal: Refusal) -> Response:
    """The refusal as the contract's status, media type and body."""
    line = line_of(refusal)
    fields: dict[str, object] = {"errorCode": line.code, "message": refusal.message}
    facts = {name: _FACTS[name](refusal) for name in line.fields}
    fields |= {name: fact for name, fact in facts.items() if fact is not None}
    _note(refusal, line)
    refused_sends.remember(refusal)
    if isinstance(refusal, errors.TooSoon):
        del fields["errorCode"]
        return _answer(429, fields, math.ceil((refusal.next_allowed_at - clock.now()) / 1000))
    return _answer(line.status, fields, getattr(refusal, "retry_after", None))


def answer_to_http(error: HTTPException) -> Response:
    """What werkzeug and Flask refuse by themselves (no such path, wrong method, too large) as JSON."""
    status = error.code or 500
    line, message = _HTTP.get(status, (Line(status, "INVALID_INPUT_DATA"), "The request cannot be read."))
    code = line.code if status < 500 else "UNDEFINED_ERROR"
    answer = _answer(status, {"errorCode": code, "message": message})
    methods: list[str] | None = getattr(error, "valid_methods", None)
    if methods:
        answer.headers["Allow"] = ", ".join(methods)
    return answer


def answer_to_database_trouble(error: Exception) -> Response:
    """A database that is away, locked or full is said to be so, without its words."""
    _log("database trouble", error)
    return _answer(503, {"errorCode": _BUSY, "message": "The database is busy. Try again in a moment."}, 1)


def answer_to_the_unforeseen(error: Exception) -> Response:
    """Anything else is our own mistake: 500 without detail. The log gets where, never with what data."""
    _log("unforeseen error", error)
    return _answer(500, {"errorCode": "UNDEFINED_ERROR", "message": "Ringback made a mistake. It was noted."})


def media_types() -> dict[int, set[str]]:
    """Which media types a refusal of each status may have; OpenAPI shows them."""
    found: dict[int, set[str]] = {429: {"application/json"}}
    for line in [*TABLE.values(), *NOT_FOUND.values(), *_HTTP_LINES]:
        if line.status != 429:
            found.setdefault(line.status, set()).add(vendor(_exception_name(line.code)))
    return found


def register() -> None:
    """Ties the answers above to the blueprint."""
    api_blueprint.register_error_handler(Refusal, answer_to)
    # Named one by one, so that no handler of the portal's pages is nearer than these.
    for status in default_exceptions:
        api_blueprint.register_error_handler(status, answer_to_http)
    api_blueprint.register_error_handler(HTTPException, answer_to_http)
    api_blueprint.register_error_handler(OperationalError, answer_to_database_trouble)
    api_blueprint.register_error_handler(PoolTimeout, answer_to_database_trouble)
    api_blueprint.register_error_handler(Exception, answer_to_the_unforeseen)


def _answer(status: int, fields: dict[str, object], retry_after: int | None = None) -> Response:
    # SDK 2.4.19 percent-decodes an error body before it parses it (contract c.3).
    text = json.dumps(fields, separators=(",", ":")).replace("%", "\\u0025")
    code = fields.get("errorCode")
    content_type = vendor(_exception_name(str(code))) if code else "application/json"
    answer = Response(text, status, content_type=content_type)
    if retry_after is not None:
        answer.headers["Retry-After"] = str(max(1, retry_after))
    return answer


def _exception_name(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("_")) + "Exception"


def _note(refusal: Refusal, line: Line) -> None:
    # The rule, not the path: a path may name somebody's number or address.
    rule = request.url_rule.rule if request.url_rule else ""
    facts = {"reason": refusal.details.get("reason"), "user_id": _user_id(refusal)}
    told = {name: str(fact) for name, fact in facts.items() if fact is not None}
    # What the counters of refusals are labelled with: a code or a reason out of a closed list.
    request.environ["ringback.refusal"] = told.get("reason", line.code)
    _logger.info(
        "refused", code=line.code, status=line.status, app_id=_from_path("app_id"), rule=rule, **told
    )


def _log(event: str, error: Exception) -> None:
    # A database error's own text repeats the row, so only its type and the places it passed are kept.
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-8:]]
    rule = request.url_rule.rule if request.url_rule else ""
    _logger.error(event, error=type(error).__name__, places=places, method=request.method, rule=rule)


def _from_path(name: str) -> str:
    return str((request.view_args or {}).get(name, ""))[:_LONGEST_ECHO]


def _app_id(_refusal: Refusal) -> str:
    return str(g.get("api_app_id") or _from_path("app_id"))[:_LONGEST_ECHO]


def _user_id(refusal: Refusal) -> str | None:
    found = refusal.details.get("user_id") or g.get("api_user_id")
    return str(found) if found else None


def _detail(name: str, otherwise: Callable[[], object]) -> Callable[[Refusal], object]:
    def read(refusal: Refusal) -> object:
        found = refusal.details.get(name)
        return otherwise() if found is None else str(found)[:_LONGEST_ECHO]

    return read


def _caller_part(name: str) -> Callable[[Refusal], object]:
    return lambda _refusal: getattr(g.get("api_caller"), name, None) or None


def _named_by() -> str:
    prefix, colon, _rest = _from_path("user").partition(":")
    return _FIELD_OF_PREFIX.get(prefix, "userID") if colon else "userID"


def _named_value() -> str:
    user = _from_path("user")
    return user if _named_by() == "userID" else user.partition(":")[2]


_FIELD_OF_PREFIX = {"EMAIL": "emailAddress", "PHONE": "phoneNumber", "LOGIN_NAME": "loginName"}

_HTTP = {
    404: (Line(404, "OPERATION_NOT_SUPPORTED"), "There is nothing at this path."),
    405: (Line(405, "OPERATION_NOT_SUPPORTED"), "This path does not take this method."),
    413: (Line(413, "INVALID_INPUT_DATA"), "The body is larger than 128 KiB."),
}
_HTTP_LINES = [line for line, _message in _HTTP.values()]

_FACTS: dict[str, Callable[[Refusal], object]] = {
    "appID": _app_id,
    "userID": _user_id,
    "accountType": _detail("account_type", lambda: "PHONE"),
    "verificationCode": _detail("code", lambda: None),
    "field": _detail("field", _named_by),
    "value": _detail("value", _named_value),
    "reason": _detail("reason", lambda: None),
    "nextAllowedAt": lambda refusal: getattr(refusal, "next_allowed_at", None),
    "minimumLength": lambda _refusal: SHORTEST_PASSWORD,
    "error": lambda _refusal: "invalid_grant",
    "error_description": lambda refusal: refusal.message,
    "authenticatedAppID": _caller_part("app_id"),
    "authenticatedPrincipalID": _caller_part("id"),
}
