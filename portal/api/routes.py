"""How is the REST door mounted? Every operation under /api, with CORS, JSON refusals and no redirects."""

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import BaseConverter, Rule

# Importing a resource adds its operations to the blueprint.
from portal.api import (
    answers,
    email_addresses,
    errors,
    openapi,
    parameters,
    passwords,
    phone_numbers,
    statuses,
    tokens,
    user_queries,
    users,
)
from portal.api.body import LARGEST
from portal.api.operations import OPERATIONS, api_blueprint
from portal.api.receipts import receipts_blueprint
from portal.database import reading
from portal.services import fences

__all__ = ["OPERATIONS", "RESOURCES", "api_blueprint", "receipts_blueprint", "register"]

RESOURCES = (
    tokens,
    users,
    phone_numbers,
    email_addresses,
    passwords,
    statuses,
    user_queries,
    parameters,
    openapi,
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REQUEST_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "x-kii-appid",
    "x-kii-appkey",
    "x-kii-sdk",
)
_NOWHERE = f"{api_blueprint.name}.nowhere"
# Contract b.1: what a browser's preflight must be told, on every answer.
_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": ", ".join(_METHODS),
    "Access-Control-Allow-Headers": ", ".join(_REQUEST_HEADERS),
    "Access-Control-Expose-Headers": "Location, Retry-After",
    "Access-Control-Max-Age": "86400",
    "Cache-Control": "no-store",
}


class _Rest(BaseConverter):
    """Whatever is left of a path, slashes and line ends included."""

    regex = "(?s:.*?)"
    part_isolating = False


def register(app: Flask) -> None:
    """Mounts the API on `app`, and a last route that answers for every path under /api that is no call.

    The last route also keeps werkzeug from redirecting doubled slashes: no answer is ever a 3xx (b.1).
    """
    app.register_blueprint(api_blueprint)
    app.register_blueprint(receipts_blueprint)
    app.url_map.converters["rest"] = _Rest
    app.view_functions[_NOWHERE] = nowhere
    for rule in ("/api", "/api/<rest:rest>"):
        # No methods at all means every method, invented ones too.
        app.url_map.add(
            Rule(rule, endpoint=_NOWHERE, methods=None, strict_slashes=False, merge_slashes=False)
        )


def nowhere(**_path: str) -> Response:
    """Answers the preflight of any path; refuses wrong methods with 405 and everything else with 404."""
    allowed = _methods_of(request.path)
    if request.method == "OPTIONS":
        answer = answers.nothing()
        answer.headers["Allow"] = ", ".join([*allowed, "OPTIONS"])
        return answer
    if allowed:
        raise MethodNotAllowed([*allowed, "OPTIONS"])
    raise NotFound


def _methods_of(path: str) -> list[str]:
    """Which methods a path takes; none when it is no call."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return []
    found = [method for method in _METHODS if adapter.match(path, method)[0] != _NOWHERE]
    return ["GET", "HEAD", *found[1:]] if "GET" in found else found


@api_blueprint.before_request
def _refuse_large_bodies() -> None:
    # One byte more, because werkzeug cuts a body of unknown length off at the limit without a word.
    request.max_content_length = LARGEST + 1
    # Calls that read no body refuse a large one too, before anybody waits for it.
    if (request.content_length or 0) > LARGEST:
        raise RequestEntityTooLarge


@api_blueprint.before_request
def _stand_in_app() -> None:
    # Before any credential is read, so that even the look-up of that finds nothing of another app (TEN-03).
    app_id = (request.view_args or {}).get("app_id")
    if app_id is not None:
        fences.stand(reading(), app_id)


@api_blueprint.after_request
def _add_headers(answer: Response) -> Response:
    answer.headers.update(_HEADERS)
    return answer


errors.register()
