"""Which keys does an app have? Add one beside the old one, end the old one, or begin anew (TEN-07)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.errors import BadInput, NotFound
from portal.models import AccessKey, ActorKind, App, AuditAction, KeyKind, random_id
from portal.services import accounts, audit, tokens
from portal.services.context import Context

NAMES: Final = {KeyKind.APP_KEY: "AppKey", KeyKind.CLIENT_SECRET: "ClientSecret"}
# A key says what it is, so that a search through code and logs finds one that got lost (TEN-07).
_PREFIXES: Final = {KeyKind.APP_KEY: "rb_pub_", KeyKind.CLIENT_SECRET: "rb_sec_"}
_RANDOM_BYTES: Final = 32
_SLOTS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class Key:
    """One live key as its owners see it. Times in Unix ms; `last_used_on` is the first moment of a day (UTC).

    `value` is the key itself, where it is public. `created_by` is an address; None for the command line.
    """

    id: str
    kind: KeyKind
    last4: str
    value: str | None
    created_by: str | None
    created_at: int
    last_used_on: int | None


def live(session: Session, app_id: str) -> list[Key]:
    """The live keys of an app, of each kind the newest first."""
    rows = session.scalars(
        select(AccessKey)
        .where(AccessKey.app_id == app_id, AccessKey.ended_at.is_(None))
        .order_by(AccessKey.kind, AccessKey.created_at.desc(), AccessKey.slot.desc())
    ).all()
    emails = accounts.emails(session, [row.created_by for row in rows])
    return [_told(row, emails.get(row.created_by or "")) for row in rows]


def find(session: Session, app_id: str, key_id: str) -> Key:
    """One live key of an app. Raises NotFound."""
    for key in live(session, app_id):
        if key.id == key_id:
            return key
    raise NotFound("key", "There is no such key, or it was ended.")


def add(ctx: Context, kind: KeyKind) -> str:
    """A new key beside the live one, which goes on working. Raises BadInput where two are live already."""
    _take_turn(ctx, kind)
    value = put_down(ctx, kind)
    audit.record(ctx, AuditAction.KEY_ADDED, details=_named(kind, value[-4:]))
    return value


def end(ctx: Context, key_id: str) -> Key:
    """Ends a key and every token that was got with it, from the next request on.

    Raises NotFound, and BadInput for the only live key of its kind.
    """
    key = find(ctx.session, ctx.app_id, key_id)
    _take_turn(ctx, key.kind)
    if len(_live_slots(ctx, key.kind)) < len(_SLOTS):
        raise BadInput("key", f"This is the only {NAMES[key.kind]}. Add a new one first, then end this one.")
    if not _end(ctx, key.kind, key_id):
        raise NotFound("key", "There is no such key, or it was ended.")
    tokens.end_all_of_key(ctx, key_id)
    audit.record(ctx, AuditAction.KEY_ENDED, details=_named(key.kind, key.last4))
    return key


def reset_secret(ctx: Context) -> str:
    """A new ClientSecret; the live ones and every token of the app end at once (contract a.9). Shown once."""
    _take_turn(ctx, KeyKind.CLIENT_SECRET)
    # Waits for tokens that are being issued, so that these end too; they hold the app's row by its key.
    ctx.session.get_one(App, ctx.app_id, with_for_update=True)
    _end(ctx, KeyKind.CLIENT_SECRET)
    tokens.end_all_of_app(ctx)
    secret = put_down(ctx, KeyKind.CLIENT_SECRET)
    audit.record(ctx, AuditAction.APP_SECRET_REGENERATED)
    return secret


def put_down(ctx: Context, kind: KeyKind) -> str:
    """A fresh key of 256 random bits in a free slot. Raises BadInput where there is none."""
    taken = _live_slots(ctx, kind)
    free = next((slot for slot in _SLOTS if slot not in taken), None)
    if free is None:
        raise _too_many(kind)
    value = _PREFIXES[kind] + secrets.token_urlsafe(_RANDOM_BYTES)
    row = AccessKey(
        id=random_id(),
        app_id=ctx.app_id,
        kind=kind,
        slot=free,
        key_hash=tokens.hashed(value),
        value=value if kind is KeyKind.APP_KEY else None,
        last4=value[-4:],
        created_by=ctx.caller.id if ctx.caller.kind is ActorKind.ACCOUNT else None,
        created_at=ctx.now,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError:
        # The database counts too, and somebody was faster.
        raise _too_many(kind) from None
    return value


def _take_turn(ctx: Context, kind: KeyKind) -> None:
    """One owner at a time, and after every login by a live key of this kind that is under way.

    The order matters: logins lock a key first and the app afterwards, by its key only.
    """
    ctx.session.get_one(App, ctx.app_id, with_for_update={"key_share": True})
    ctx.session.execute(
        select(AccessKey.id)
        .where(AccessKey.app_id == ctx.app_id, AccessKey.kind == kind, AccessKey.ended_at.is_(None))
        .with_for_update()
    ).all()


def _live_slots(ctx: Context, kind: KeyKind) -> Sequence[int]:
    is_live = (AccessKey.app_id == ctx.app_id, AccessKey.kind == kind, AccessKey.ended_at.is_(None))
    return ctx.session.scalars(select(AccessKey.slot).where(*is_live)).all()


def _end(ctx: Context, kind: KeyKind, key_id: str | None = None) -> bool:
    """Ends one live key of a kind, or all of them; whether there was any."""
    change = update(AccessKey).where(
        AccessKey.app_id == ctx.app_id, AccessKey.kind == kind, AccessKey.ended_at.is_(None)
    )
    if key_id is not None:
        change = change.where(AccessKey.id == key_id)
    return ctx.session.scalars(change.values(ended_at=ctx.now).returning(AccessKey.id)).first() is not None


def _told(row: AccessKey, email: str | None) -> Key:
    return Key(row.id, KeyKind(row.kind), row.last4, row.value, email, row.created_at, row.last_used_on)


def _named(kind: KeyKind, last4: str) -> dict[str, object]:
    return {"key": NAMES[kind], "last4": last4}


def _too_many(kind: KeyKind) -> BadInput:
    return BadInput("key", f"Two {NAMES[kind]}s are live already. End the old one first.")
