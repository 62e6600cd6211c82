"""Was this very request answered already? Then it is answered the same, and sends nothing again (DEL-11).

A client that got no answer may ask again with the same `Idempotency-Key`. A key is one caller's, of one app
and one route, for 24 hours. The answer is stored in the transaction that does the work: no key has its work
done twice, and no work loses its answer. A request that was refused did nothing, and leaves its key free.
"""

import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, delete, select, update

from portal.core import sealing
from portal.core.limits import SECOND
from portal.core.sealing import BrokenSeal
from portal.errors import KeyInUse, KeyReused
from portal.models import INSERT, IdempotencyKey, table
from portal.services.context import Context

# A request that has no answer after this time (ms) was broken off, and did nothing.
BROKEN_OFF_AFTER: Final = 60 * SECOND

_IN_USE: Final = "The first request with this Idempotency-Key is still being answered. Try again in a moment."
_REUSED: Final = "This Idempotency-Key came with another request before. Use a new key for a new request."
_UNREADABLE: Final = "The answer to this Idempotency-Key cannot be read any more. What it asked for was done."

_K = table(IdempotencyKey)
_ADD = {
    name: insert(_K).on_conflict_do_nothing().returning(_K.c.created_at) for name, insert in INSERT.items()
}


@dataclass(frozen=True, slots=True)
class Started:
    """A request that is to be answered for the first time; `since` (Unix ms) tells it from a later one."""

    app_id: str
    route: str
    key_hash: str
    since: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. The body may hold a token, so it is shown nowhere."""

    status: int
    media_type: str | None
    location: str | None
    body: str = field(repr=False)


def begin(ctx: Context, route: str, key: str, request: bytes) -> Started | Answer:
    """Whether the caller's `request` (everything that makes it this one) with a key was answered before.

    Commit at once, so that whoever sends it meanwhile learns of it. Raises KeyReused for another request
    with the same key, and KeyInUse while the first one is being answered.
    """
    caller = f"{ctx.caller.kind}:{ctx.caller.id or ''}"
    ours = Started(ctx.app_id, route, _hash(ctx, f"key:{caller}:{key}".encode()), ctx.now)
    request_hash = _hash(ctx, b"request:" + request)
    # Looked at first, for a look waits for nobody.
    if (found := _look(ctx, ours)) is not None:
        return _again(ctx, ours, request_hash, found)
    row = {"app_id": ours.app_id, "route": ours.route, "key_hash": ours.key_hash}
    added = {"request_hash": request_hash, "created_at": ctx.now}
    if ctx.scalar(_ADD[ctx.session.get_bind().dialect.name], row | added) is not None:
        return ours
    if (found := _look(ctx, ours)) is not None:
        return _again(ctx, ours, request_hash, found)
    # It was there, and was freed a moment ago.
    raise KeyInUse(_IN_USE, field="Idempotency-Key")


def keep(ctx: Context, started: Started, answer: Answer, user_id: str | None = None) -> None:
    """Stores the answer, in the transaction that did the work. It goes with the user whom it is about.

    Raises KeyInUse when the request took so long that it was taken for broken off and begun anew: nothing of
    it may be kept then.
    """
    plain = json.dumps(asdict(answer)).encode()
    sealed = sealing.pack(ctx.keys.sealing, plain, _about(started))
    kept = ctx.session.execute(
        update(IdempotencyKey)
        .where(_is(started), IdempotencyKey.status.is_(None))
        .values(status=answer.status, answer=sealed, user_id=user_id)
        .returning(IdempotencyKey.created_at)
        .execution_options(synchronize_session=False)
    ).first()
    if kept is None:
        raise KeyInUse(_IN_USE, field="Idempotency-Key")


def release(ctx: Context, started: Started) -> None:
    """Frees the key of a request that was refused."""
    ctx.session.execute(
        delete(IdempotencyKey)
        .where(_is(started), IdempotencyKey.status.is_(None))
        .execution_options(synchronize_session=False)
    )


def _look(ctx: Context, ours: Started) -> Row[*tuple[Any, ...]] | None:
    wanted = select(_K.c.request_hash, _K.c.answer, _K.c.created_at).where(_is_key(ours))
    return ctx.session.execute(wanted).first()


def _again(ctx: Context, ours: Started, request_hash: str, found: Row[*tuple[Any, ...]]) -> Started | Answer:
    if found.created_at <= ctx.now - ctx.keeping.idempotency_keys:
        return _take_over(ctx, ours, found.created_at, request_hash)
    if not hmac.compare_digest(found.request_hash, request_hash):
        raise KeyReused(_REUSED, field="Idempotency-Key")
    if found.answer is not None:
        return _opened(ctx, ours, found.answer)
    if found.created_at <= ctx.now - BROKEN_OFF_AFTER:
        return _take_over(ctx, ours, found.created_at, request_hash)
    raise KeyInUse(_IN_USE, field="Idempotency-Key")


def _take_over(ctx: Context, ours: Started, seen: int, request_hash: str) -> Started:
    taken = ctx.session.execute(
        update(IdempotencyKey)
        .where(_is_key(ours), IdempotencyKey.created_at == seen)
        .values(request_hash=request_hash, status=None, answer=None, created_at=ctx.now)
        .returning(IdempotencyKey.created_at)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        raise KeyInUse(_IN_USE, field="Idempotency-Key")
    return ours


def _opened(ctx: Context, ours: Started, answer: bytes) -> Answer:
    try:
        return Answer(**json.loads(sealing.unpack(ctx.keys.sealing, answer, _about(ours))))
    except BrokenSeal:
        raise KeyInUse(_UNREADABLE, field="Idempotency-Key") from None


def _is_key(started: Started) -> ColumnElement[bool]:
    return and_(_K.c.app_id == started.app_id, _K.c.route == started.route, _K.c.key_hash == started.key_hash)


def _is(started: Started) -> ColumnElement[bool]:
    return and_(_is_key(started), _K.c.created_at == started.since)


def _about(started: Started) -> str:
    return f"answer:{started.app_id}:{started.route}:{started.key_hash}"


def _hash(ctx: Context, plain: bytes) -> str:
    # Keyed, because a body holds numbers and passwords that could be guessed from a bare hash (PII-02).
    return hmac.digest(ctx.keys.session.encode(), b"ringback-idempotency:" + plain, hashlib.sha256).hex()
