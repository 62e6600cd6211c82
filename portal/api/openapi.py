"""What does the REST door look like to a machine? OpenAPI 3.1, written from the register of operations."""

import re
from collections.abc import Iterable
from typing import Any

from flask import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api import answers, errors
from portal.api.operations import JSON, KEY_HEADER, OPERATIONS, Operation, Who, operation
from portal.api.shapes import RefusalBody

_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_PARAMETER_MEANS = {
    "app_id": "The AppID; it must be the credential's.",
    "user": "A user ID, me, EMAIL:address, PHONE:+number or LOGIN_NAME:name.",
    "name": "The name of a configuration parameter.",
}
_KEY_MEANS = (
    "Sent again within 24 hours with the same key and the same body, the request is answered as before and"
    + " sends nothing. Another body with the key is refused with 422, and with 409 while the first request is"
    + " being answered. A refused request leaves its key free."
)
_SECURITY = {
    "basic": {"type": "http", "scheme": "basic", "description": "AppID:anything"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "appID": {"type": "apiKey", "in": "header", "name": "X-Kii-AppID"},
    "appKey": {"type": "apiKey", "in": "header", "name": "X-Kii-AppKey"},
}
_APP: list[dict[str, list[str]]] = [{"basic": []}, {"appID": [], "appKey": []}]
_BEARER: list[dict[str, list[str]]] = [{"bearer": []}]


@operation("GET", "/openapi.json", auth=Who.ANYBODY, produces={(200, JSON): None})
def show() -> Response:
    """This description."""
    return answers.write(document())


def document() -> dict[str, object]:
    """The OpenAPI document of every operation."""
    paths: dict[str, dict[str, object]] = {}
    for each in OPERATIONS.values():
        paths.setdefault(_path(each.rule), {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ringback", "version": "1", "description": "Phone number verification."},
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _SECURITY},
    }


def _path(rule: str) -> str:
    return "/api" + _PARAMETER.sub(r"{\1}", rule)


def _described(each: Operation) -> dict[str, object]:
    described: dict[str, object] = {
        "operationId": each.name,
        "summary": each.summary,
        "description": each.who.sentence,
        "parameters": [_parameter(name) for name in _PARAMETER.findall(each.rule)] + _key(each),
        "responses": _responses(each),
        "security": _security(each.who),
    }
    if each.consumes:
        content = {media: _schema(model) for media, model in _written(each).items()}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _written(each: Operation) -> dict[str, type[BaseModel] | None]:
    first = next(iter(each.consumes.values()))
    return {JSON: first, **each.consumes} if first else dict(each.consumes)


def _parameter(name: str) -> dict[str, object]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PARAMETER_MEANS[name],
        "schema": {"type": "string", "minLength": 1},
    }


def _key(each: Operation) -> list[dict[str, object]]:
    if not each.takes_key:
        return []
    return [
        {
            "name": KEY_HEADER,
            "in": "header",
            "required": False,
            "description": _KEY_MEANS,
            "schema": {"type": "string", "minLength": 16, "maxLength": 255, "pattern": "^[!-~]+$"},
        }
    ]


def _responses(each: Operation) -> dict[str, dict[str, Any]]:
    responses: dict[str, dict[str, Any]] = {}
    for (status, media), model in each.produces.items():
        answer = responses.setdefault(str(status), {"description": each.summary})
        if media:
            answer.setdefault("content", {})[media] = _schema(model)
    for status, media_types in errors.media_types().items():
        content = {media: _schema(RefusalBody) for media in media_types}
        responses[str(status)] = {"description": "Refused.", "content": content}
    return responses


def _security(who: Who) -> list[dict[str, list[str]]]:
    if who is Who.ANYBODY:
        return []
    if who is Who.APP:
        return _APP
    return [*_APP, *_BEARER] if who is Who.APP_OR_ADMIN else _BEARER


def _schema(model: type[BaseModel] | None) -> dict[str, object]:
    return {"schema": {"$ref": _REFERENCE.format(model=model.__name__)} if model else {}}


def _schemas() -> dict[str, object]:
    _keys, schema = models_json_schema(
        [(model, "validation") for model in _models()], ref_template=_REFERENCE, by_alias=True
    )
    found: dict[str, object] = schema["$defs"]
    return found


def _models() -> Iterable[type[BaseModel]]:
    models: dict[str, type[BaseModel]] = {RefusalBody.__name__: RefusalBody}
    for each in OPERATIONS.values():
        named = [*each.consumes.values(), *each.produces.values()]
        models |= {model.__name__: model for model in named if model is not None}
    return models.values()
