"""How does an answer leave? As compact JSON with the contract's media type, or empty."""

import json
from collections.abc import Mapping

from flask import Response

from portal.api.operations import vendor


def write(fields: Mapping[str, object], name: str | None = None, status: int = 200) -> Response:
    """`fields` as JSON, of the vendor type `name`, or of plain application/json without one."""
    content_type = vendor(name) if name else "application/json"
    return Response(json.dumps(fields, separators=(",", ":")), status, content_type=content_type)


def nothing() -> Response:
    """204 without a body and without a type for it."""
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    return answer
