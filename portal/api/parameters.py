"""How is the app set? Kii's configuration parameters, for the administrator."""

from flask import Response, request

from portal.api import answers, auth, body
from portal.api.operations import TEXT, Who, operation, vendor
from portal.api.payloads import AppConfigParamsModificationRequest
from portal.api.shapes import Parameters
from portal.database import reading, transaction
from portal.services import parameters

_RULE = "/apps/<app_id>/configuration/parameters"
_READ = "AppConfigParamsRetrievalResponse"
_SEVERAL = {vendor("AppConfigParamsModificationRequest"): AppConfigParamsModificationRequest}


@operation("GET", _RULE, auth=Who.ADMIN, produces={(200, vendor(_READ)): Parameters})
def show(app_id: str) -> Response:
    """Every parameter with its value."""
    return answers.write(parameters.read_all(auth.enter(reading(), app_id)), _READ)


@operation("PATCH", _RULE, auth=Who.ADMIN, consumes=_SEVERAL, produces={(204, ""): None})
def change(app_id: str) -> Response:
    """Sets several parameters, all or none."""
    return _write(app_id, body.read(AppConfigParamsModificationRequest).parameters)


@operation("POST", _RULE, auth=Who.ADMIN, consumes=_SEVERAL, produces={(204, ""): None})
def change_by_post(app_id: str) -> Response:
    """Sets several parameters, as PATCH does."""
    return _write(app_id, body.read(AppConfigParamsModificationRequest).parameters)


@operation("PUT", f"{_RULE}/<name>", auth=Who.ADMIN, consumes={TEXT: None}, produces={(204, ""): None})
def set_one(app_id: str, name: str) -> Response:
    """Sets one parameter to the bare value in the body."""
    return _write(app_id, {name: _bare_value()})


@operation("DELETE", f"{_RULE}/<name>", auth=Who.ADMIN, produces={(204, ""): None})
def reset(app_id: str, name: str) -> Response:
    """Sets one parameter back to its default."""
    with transaction() as session:
        parameters.reset(auth.enter(session, app_id), name)
    return answers.nothing()


def _write(app_id: str, values: dict[str, object]) -> Response:
    with transaction() as session:
        parameters.write(auth.enter(session, app_id), values)
    return answers.nothing()


def _bare_value() -> object:
    body.refuse_other_media()
    sent = body.text()
    if request.mimetype != TEXT:
        return body.value(sent)
    body.refuse_unstorable(sent)
    return sent
