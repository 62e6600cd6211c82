"""Is this a request that was sent before? With an Idempotency-Key it is answered as it was then (DEL-11)."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Final

import structlog
from flask import Response, g, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.api import auth, body
from portal.api.operations import KEY_HEADER, Handler, current
from portal.database import transaction
from portal.errors import BadInput
from portal.services import idempotency
from portal.services.context import Context
from portal.services.idempotency import Answer, Started

SHORTEST: Final = 16
LONGEST: Final = 255
_KEY = re.compile(rf"[\x21-\x7e]{{{SHORTEST},{LONGEST}}}")

_logger = structlog.get_logger()


def once(handler: Handler) -> Handler:
    """The handler of an operation that takes a key: the same request with one key is carried out once.

    It calls `keep` with its answer in the transaction that does the work. Without the header nothing changes.
    """

    @wraps(handler)
    def answer(app_id: str, **path: str) -> Response:
        key = request.headers.get(KEY_HEADER)
        if key is None:
            return handler(app_id=app_id, **path)
        found = _begin(app_id, key)
        if isinstance(found, Answer):
            return _as_before(found)
        g.api_started = found
        return _carry_out(lambda: handler(app_id=app_id, **path), found)

    return answer


def keep(ctx: Context, answer: Response, user_id: str) -> Response:
    """Stores the answer about a user with the work, where the request came with a key; returns it.

    Raises KeyInUse.
    """
    started: Started | None = g.get("api_started")
    if started is not None:
        stored = Answer(
            status=answer.status_code,
            media_type=answer.headers.get("Content-Type"),
            location=answer.headers.get("Location"),
            body=answer.get_data(as_text=True),
        )
        idempotency.keep(ctx, started, stored, user_id)
    return answer


def _begin(app_id: str, key: str) -> Started | Answer:
    if not _KEY.fullmatch(key):
        fix = f"{KEY_HEADER} must be {SHORTEST} to {LONGEST} visible ASCII characters."
        raise BadInput(KEY_HEADER, fix)
    auth.admit(app_id)
    about = "\n".join([request.path, request.mimetype, ""])
    with transaction() as session:
        ctx = auth.again(session)
        return idempotency.begin(ctx, current().name, key, about.encode() + body.raw())


def _carry_out(work: Callable[[], Response], started: Started) -> Response:
    try:
        return work()
    except BaseException:
        _release(started)
        raise


def _release(started: Started) -> None:
    try:
        with transaction() as session:
            idempotency.release(auth.again(session), started)
    except (OperationalError, PoolTimeout) as error:
        # Without this, the key is free a minute later.
        _logger.warning("key_not_released", error=type(error).__name__)


def _as_before(found: Answer) -> Response:
    answer = Response(found.body, found.status, content_type=found.media_type)
    if found.media_type is None:
        del answer.headers["Content-Type"]
    if found.location is not None:
        answer.headers["Location"] = found.location
    return answer
