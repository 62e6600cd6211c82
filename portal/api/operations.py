"""Which calls does the REST door answer? Each route declares its media types, answers and who may call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel

from portal.core.closed_list import ClosedList

api_blueprint = Blueprint("api", __name__, url_prefix="/api")

JSON = "application/json"
TEXT = "text/plain"
# The header that makes a call one that is carried out once, however often it is sent (DEL-11).
KEY_HEADER = "Idempotency-Key"
FORM = "application/x-www-form-urlencoded"

# Contract b.1: application/json is taken wherever a vnd.kii type is named, and any vnd.kii JSON type too.
_VENDOR_PREFIX = "application/vnd.kii."
_VENDOR_SUFFIX = "+json"


class Who(ClosedList):
    """Whose credentials a call takes (contract b.2, column Auth), each with a sentence."""

    ANYBODY = "anybody", "No credentials are looked at."
    APP = "app", "The app, by Basic or by the X-Kii headers."
    APP_OR_ADMIN = "app_or_admin", "The app, or its administrator's bearer token."
    ANY_USER = "any_user", "The bearer token of any user of the app, or of its administrator."
    USER = "user", "The user's own bearer token, or the administrator's."
    SELF = "self", "The user's own bearer token."
    ADMIN = "admin", "The administrator's bearer token."


Handler = Callable[..., Response]
Consumes = Mapping[str, type[BaseModel] | None]
Produces = Mapping[tuple[int, str], type[BaseModel] | None]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one rule. The first entry of `consumes` is what plain JSON is read as."""

    method: str
    rule: str
    name: str
    summary: str
    consumes: Consumes
    by_mimetype: Consumes
    produces: Produces
    who: Who
    takes_key: bool

    def payload_for(self, media: str) -> type[BaseModel] | None:
        """The model that a body of this media type is read as; KeyError when the type is not taken.

        `media` is lower case, as werkzeug's `request.mimetype` always is.
        """
        if media in self.by_mimetype:
            return self.by_mimetype[media]
        if media == JSON or (media.startswith(_VENDOR_PREFIX) and media.endswith(_VENDOR_SUFFIX)):
            return next(iter(self.consumes.values()))
        raise KeyError(media)


OPERATIONS: dict[str, Operation] = {}


def vendor(name: str) -> str:
    """The vendor media type called `name`, spelled as the contract spells it."""
    return f"{_VENDOR_PREFIX}{name}{_VENDOR_SUFFIX}"


def operation(
    method: str,
    rule: str,
    *,
    auth: Who,
    produces: Produces,
    consumes: Consumes | None = None,
    takes_key: bool = False,
) -> Callable[[Handler], Handler]:
    """Adds the decorated function to the routes under /api and to the record that OpenAPI is written from.

    One that `takes_key` is also decorated with repeats.once.
    """

    def add(handler: Handler) -> Handler:
        resource = handler.__module__.rpartition(".")[2]
        endpoint = f"{resource}_{handler.__name__}"
        taken = dict(consumes or {})
        by_mimetype = {media.lower(): model for media, model in taken.items()}
        summary = (handler.__doc__ or "").partition("\n")[0].strip()
        OPERATIONS[f"{api_blueprint.name}.{endpoint}"] = Operation(
            method, rule, endpoint, summary, taken, by_mimetype, produces, auth, takes_key
        )
        options: dict[str, Any] = {"strict_slashes": False, "merge_slashes": False}
        api_blueprint.add_url_rule(
            rule, endpoint, handler, methods=[method], provide_automatic_options=False, **options
        )
        return handler

    return add


def current() -> Operation:
    """The operation that answers the present request."""
    return OPERATIONS[request.endpoint or ""]
