"""What did the caller send? Bodies read once, bounded in every direction, before anything acts on them.

The contract knows no answer for a wrong content type, so WEB-10 rules: 415, as INVALID_INPUT_DATA. A body
that is no JSON is INVALID_JSON; JSON that breaks a bound or a shape is INVALID_INPUT_DATA with its `field`.
"""

import json
import math
from collections.abc import Iterator
from typing import NoReturn, TypeVar
from urllib.parse import parse_qsl

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from portal.api import fields
from portal.api.operations import FORM, current
from portal.api.refusals import InvalidJson, PasswordTooShort, WrongMediaType
from portal.errors import BadInput

# 64 KiB for our own shapes (WEB-10) and room for 63 KB of custom fields (contract a.1).
LARGEST = 128 * 1024
DEEPEST = 32
# 64 bits with a sign; a longer number would lose digits in most clients.
LONGEST_INTEGER = 20
MOST_FORM_FIELDS = 20

Payload = TypeVar("Payload", bound=BaseModel)


def read(kind: type[Payload]) -> Payload:
    """The body as the payload, a `kind`, that the present operation names for its Content-Type.

    Raises InvalidJson, WrongMediaType and BadInput; werkzeug's RequestEntityTooLarge over 128 KiB.
    """
    model = _model()
    if model is None or not issubclass(model, kind):
        raise TypeError("This operation does not read such a payload.")
    return validated(model, _form(text()) if request.mimetype == FORM else _object(text()))


def refuse_other_media() -> None:
    """Raises WrongMediaType unless the present operation takes the body's Content-Type."""
    _model()


def text() -> str:
    """The body as text. Raises InvalidJson when it is not UTF-8, RequestEntityTooLarge over 128 KiB."""
    try:
        return raw().decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidJson("The body is not UTF-8.") from None


def raw() -> bytes:
    """The body as it came, kept for whoever asks again. Raises RequestEntityTooLarge over 128 KiB."""
    sent = request.get_data(cache=True, parse_form_data=False)
    if len(sent) > LARGEST:
        raise RequestEntityTooLarge
    return sent


def value(source: str) -> object:
    """Any JSON value, bounded: no duplicate keys, at most 32 levels, numbers of sane size, storable strings.

    Raises InvalidJson and BadInput.
    """
    try:
        parsed: object = json.loads(
            source,
            object_pairs_hook=_without_duplicates,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError:
        raise InvalidJson("The body is not JSON.") from None
    except RecursionError:
        raise _too_deep() from None
    # Without a backslash no escape can bring NUL or half a surrogate pair in, and few brackets are not deep.
    if "\\" in source or source.count("[") + source.count("{") > DEEPEST:
        for found in _strings(parsed, 1):
            refuse_unstorable(found)
    return parsed


def validated(model: type[Payload], sent: dict[str, object]) -> Payload:
    """`sent` as a payload. Raises BadInput that names the first field that does not fit."""
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"][:1])[:64] or "body"
        if first["type"] == fields.TOO_SHORT:
            raise PasswordTooShort(field, first["msg"]) from None
        raise BadInput(field, f"{field}: {first['msg']}") from None


def refuse_unstorable(found: str, field: str = "body") -> None:
    """Raises BadInput for text that PostgreSQL cannot store: NUL, or half of a surrogate pair."""
    if "\0" in found or any("\ud800" <= character <= "\udfff" for character in found):
        raise BadInput(field, "Text cannot hold NUL or half of a surrogate pair.")


def _model() -> type[BaseModel] | None:
    try:
        return current().payload_for(request.mimetype)
    except KeyError:
        taken = ", ".join(["application/json", *current().consumes])
        raise WrongMediaType(f"Send Content-Type: {taken}", field="Content-Type") from None


def _object(source: str) -> dict[str, object]:
    parsed = value(source)
    if isinstance(parsed, dict):
        return parsed
    raise BadInput("body", "The body must be a JSON object.")


def _form(source: str) -> dict[str, object]:
    try:
        pairs = parse_qsl(source, keep_blank_values=True, max_num_fields=MOST_FORM_FIELDS, errors="strict")
    except ValueError:
        raise BadInput("body", "The form cannot be read.") from None
    for _name, sent in pairs:
        refuse_unstorable(sent)
    return _without_duplicates([(name, sent) for name, sent in pairs])


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise BadInput("body", "A field is named twice.")
    return named


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise BadInput("body", "A number has too many digits.")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isfinite(number):
        return number
    raise BadInput("body", "A number is too large.")


def _no_constant(_name: str) -> NoReturn:
    raise InvalidJson("NaN and Infinity are not JSON.")


def _strings(found: object, depth: int) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    if not isinstance(found, dict | list):
        return
    if depth > DEEPEST:
        raise _too_deep()
    if isinstance(found, dict):
        yield from found
        found = list(found.values())
    for each in found:
        yield from _strings(each, depth + 1)


def _too_deep() -> BadInput:
    return BadInput("body", f"The body is nested more than {DEEPEST} levels deep.")
