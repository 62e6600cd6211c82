"""Does a key open the app that it is sent to? Asked on every request, so each question is one statement."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session

from portal.errors import NotFound, Unauthorized
from portal.models import AccessKey, App, KeyKind, Quarantine, table
from portal.services.context import Context

ENDED: Final = "This AppKey was ended. Put the app's new one into the client."
_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class TokenLives:
    """How long an app's tokens live (s)."""

    refresh_token_enabled: bool
    default_token_life_s: int
    max_token_life_s: int


@dataclass(frozen=True, slots=True)
class Secret:
    """A live ClientSecret, with what a login by it needs."""

    key_id: str
    client_id: str
    lives: TokenLives


@dataclass(frozen=True, slots=True)
class FoundAppKey:
    """What an AppKey is to an app. `key_id` is None for one that the app never made, which is taken too."""

    key_id: str | None
    is_ended: bool
    lives: TokenLives


_APP, _KEY = table(App), table(AccessKey)
_LIVES = [_APP.c[name] for name in TokenLives.__slots__]


def _key_of_app(kind: KeyKind) -> ColumnElement[bool]:
    is_it = and_(_KEY.c.app_id == _APP.c.id, _KEY.c.kind == kind.value)
    return and_(is_it, _KEY.c.key_hash == bindparam("the_hash"))


_IS_APP = _APP.c.id == bindparam("the_app")
_BY_APP_KEY = _APP.outerjoin(_KEY, _key_of_app(KeyKind.APP_KEY))
_ADMIT = select(_KEY.c.id, _KEY.c.ended_at, _KEY.c.last_used_on).select_from(_BY_APP_KEY).where(_IS_APP)
_FIND = select(_KEY.c.id, _KEY.c.ended_at, *_LIVES).select_from(_BY_APP_KEY).where(_IS_APP)
# Whoever ends the secret waits for this lock, and so also ends the token that is being issued.
_HOLD = (
    select(_KEY.c.id, _KEY.c.last_used_on, _APP.c.client_id, *_LIVES)
    .select_from(_APP.join(_KEY, _key_of_app(KeyKind.CLIENT_SECRET)))
    .where(_IS_APP, _KEY.c.ended_at.is_(None))
    # A restored copy may know a secret that was revoked since; its operator opens it when that is settled.
    .where(~exists(select(table(Quarantine).c.id)))
    .with_for_update(read=True, key_share=True, of=_KEY)
)
_NOTE = (
    update(_KEY)
    .where(
        _KEY.c.id == bindparam("the_key"),
        or_(_KEY.c.last_used_on.is_(None), _KEY.c.last_used_on < bindparam("today")),
    )
    .values(last_used_on=bindparam("today"))
)


def admit(session: Session, app_id: str, key_hash: str, now: int) -> str | None:
    """Lets a caller with this AppKey into an app; the id of a key whose use today nobody has noted yet.

    Any value is taken, but for one that was ended (contract b.1, TEN-07). Raises NotFound of the app, and
    Unauthorized.
    """
    found = session.connection().execute(_ADMIT, {"the_app": app_id, "the_hash": key_hash}).first()
    if found is None:
        raise NotFound("app", "There is no such app.", appID=app_id)
    if found.ended_at is not None:
        raise Unauthorized(ENDED)
    is_noted = found.id is None or found.last_used_on == _day_of(now)
    return None if is_noted else str(found.id)


def find_app_key(ctx: Context, key_hash: str) -> FoundAppKey:
    """What the AppKey of this hash is to the caller's app."""
    found = ctx.execute(_FIND, {"the_app": ctx.app_id, "the_hash": key_hash}).one()
    return FoundAppKey(found.id, found.ended_at is not None, TokenLives(*found[2:]))


def hold_secret(ctx: Context, key_hash: str) -> Secret | None:
    """The live ClientSecret of this hash, locked until the transaction ends, and its use noted.

    None in quarantine (DAT-05).
    """
    found = ctx.execute(_HOLD, {"the_app": ctx.app_id, "the_hash": key_hash}).first()
    if found is None:
        return None
    if found.last_used_on != _day_of(ctx.now):
        ctx.execute(_NOTE, {"the_key": found.id, "today": _day_of(ctx.now)})
    return Secret(found.id, found.client_id, TokenLives(*found[3:]))


def note_use(session: Session, key_id: str, now: int) -> None:
    """Notes that a key is used today, unless somebody has: one write a day and key, never one a request."""
    session.connection().execute(_NOTE, {"the_key": key_id, "today": _day_of(now)})


def _day_of(now: int) -> int:
    """The first moment of a time's day (UTC, Unix ms)."""
    return now - now % _DAY
