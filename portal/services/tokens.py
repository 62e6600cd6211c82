"""Who holds which bearer token? Logging in, checking a token, ending tokens."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from portal.core import addresses
from portal.errors import BadInput, InvalidGrant, NotFound, WrongToken
from portal.models import ActorKind, App, BearerToken, TokenKind, User, table
from portal.services import fences, key_checks
from portal.services.context import Caller, Context
from portal.services.key_checks import TokenLives

_ACTOR = {
    TokenKind.USER: ActorKind.USER,
    TokenKind.ADMIN: ActorKind.ADMIN,
    TokenKind.ANONYMOUS: ActorKind.APP,
}
_TOKEN = table(BearerToken)
_HOLDER = select(_TOKEN.c.kind, _TOKEN.c.user_id, _TOKEN.c.app_id).where(
    _TOKEN.c.token_hash == bindparam("the_hash"), _TOKEN.c.expires_at > bindparam("the_now")
)
_ADD = insert(_TOKEN)
_USER = table(User)
_Candidate = Select[str, str | None, bool]
_CANDIDATE: _Candidate = select(_USER.c.id, _USER.c.password_hash, _USER.c.disabled).where(
    _USER.c.app_id == bindparam("the_app")
)
_BY_NAME = _CANDIDATE.where(_USER.c.login_name == bindparam("value"))
_BY_EMAIL = _CANDIDATE.where(_USER.c.email_address == bindparam("value"))
_BY_PHONE = _CANDIDATE.where(_USER.c.phone_number == bindparam("value"), _USER.c.phone_number_verified)
_APP = table(App)
_LIFE_COLUMNS = [_APP.c[name] for name in TokenLives.__slots__]
_LOCK = (
    select(_USER.c.password_hash, _USER.c.disabled, *_LIFE_COLUMNS)
    .join(_APP, _APP.c.id == _USER.c.app_id)
    .where(_USER.c.app_id == bindparam("the_app"), _USER.c.id == bindparam("the_id"))
    .with_for_update(key_share=True, of=_USER)
)
_LIVES = select(*_LIFE_COLUMNS).where(_APP.c.id == bindparam("the_app"))
# Every refused login reads the same, whatever the cause (ENU-01).
REFUSED = "The user was not found, the password is wrong, or the phone number is not verified."


@dataclass(frozen=True, slots=True)
class LoginCandidate:
    """Whose password a login must match; all None when the identifier names nobody who may log in."""

    user_id: str | None = None
    password_hash: str | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh token. `expires_in` is in seconds; `id` is the user, or the client for other tokens."""

    id: str
    token: str
    expires_in: int
    refresh_token: str | None = None


def find_login(session: Session, app_id: str, username: str) -> LoginCandidate:
    """Whom `username` names in an app, in every form of contract b.4.

    A bare string is tried as login name, then e-mail address, then phone number. A phone number counts
    only when it is in force and verified (contract a.3).
    """
    ask, values = session.connection().execute, {"the_app": app_id}
    # Each is asked for, whatever another finds, or the time would tell who is known (ENU-02).
    found = [ask(each, values | {"value": value}).first() for each, value in _readings(username)]
    return next((LoginCandidate(*each) for each in found if each), LoginCandidate())


def log_in(ctx: Context, candidate: LoginCandidate, expires_at: int | None, new_hash: str | None) -> Issued:
    """A token for a candidate whose password was right. `expires_at` (ms) is the client's wish.

    `new_hash` replaces the stored one when it was made with older parameters. Raises InvalidGrant when
    the user was disabled, deleted or given another password meanwhile.
    """
    user = _locked(ctx, candidate.user_id)
    if user is None or user.disabled or user.password_hash != candidate.password_hash:
        raise InvalidGrant(REFUSED)
    if new_hash is not None:
        ctx.session.execute(
            update(User)
            .where(User.app_id == ctx.app_id, User.id == candidate.user_id)
            .where(User.password_hash == candidate.password_hash)
            .values(password_hash=new_hash)
        )
    return _issue(ctx, str(candidate.user_id), TokenLives(*user[2:]), expires_at)


def issue_to_user(ctx: Context, user_id: str, expires_at: int | None = None) -> Issued:
    """A user token, and a refresh token where the app's settings ask for one."""
    return _issue(ctx, user_id, TokenLives(*ctx.execute(_LIVES, {"the_app": ctx.app_id}).one()), expires_at)


def _issue(ctx: Context, user_id: str, app: TokenLives, expires_at: int | None) -> Issued:
    refresh_token = None
    if app.refresh_token_enabled:
        refresh_token = _add(ctx, TokenKind.REFRESH, user_id, ctx.now + app.max_token_life_s * 1000)
    ends = _ends_at(ctx, app, expires_at)
    token = _add(ctx, TokenKind.USER, user_id, ends)
    return Issued(user_id, token, (ends - ctx.now) // 1000, refresh_token)


def log_in_as_admin(ctx: Context, client_id: str, client_secret: str, expires_at: int | None) -> Issued:
    """An app-admin token for ClientID and ClientSecret. Raises InvalidGrant."""
    found = key_checks.hold_secret(ctx, hashed(client_secret))
    asked = client_id.encode("utf-8", "replace")
    if found is None or not secrets.compare_digest(found.client_id.encode(), asked):
        raise InvalidGrant("The client ID or the client secret is wrong.")
    ends = _ends_at(ctx, found.lives, expires_at)
    token = _add(ctx, TokenKind.ADMIN, None, ends, found.key_id)
    return Issued(client_id, token, (ends - ctx.now) // 1000)


def log_in_anonymously(ctx: Context, app_key: str, expires_at: int | None) -> Issued:
    """An anonymous token of the app. Any AppKey is taken but one that was ended (contract b.1, TEN-07).

    Raises InvalidGrant for that one.
    """
    found = key_checks.find_app_key(ctx, hashed(app_key))
    if found.is_ended:
        raise InvalidGrant(key_checks.ENDED)
    ends = _ends_at(ctx, found.lives, expires_at)
    token = _add(ctx, TokenKind.ANONYMOUS, None, ends, found.key_id)
    return Issued(ctx.app_id, token, (ends - ctx.now) // 1000)


def refresh(ctx: Context, refresh_token: str) -> Issued:
    """New tokens for a refresh token, which is spent by this. Raises InvalidGrant."""
    token_hash = hashed(refresh_token)
    holder = select(BearerToken.user_id).where(
        BearerToken.token_hash == token_hash, BearerToken.app_id == ctx.app_id
    )
    _locked(ctx, ctx.session.scalar(holder))
    spent = ctx.session.execute(
        delete(BearerToken)
        .where(BearerToken.token_hash == token_hash, BearerToken.app_id == ctx.app_id)
        .where(BearerToken.kind == TokenKind.REFRESH, BearerToken.expires_at > ctx.now)
        .returning(BearerToken.user_id)
    ).first()
    if spent is None:
        raise InvalidGrant("The refresh token is unknown or was used already.")
    return issue_to_user(ctx, str(spent.user_id))


def authenticate(session: Session, app_id: str, token: str, now: int) -> Caller:
    """Who holds `token` in an app. Raises WrongToken when it is unknown, expired, void or for refreshing.

    A good token of another app raises NotFound: to its holder, this app does not exist (TEN-02).
    """
    asked = {"the_hash": hashed(token), "the_now": now}
    # In another app, only the wording of the refusal comes of it.
    found = session.execute(_HOLDER, asked).first() or fences.first_anywhere(session, _HOLDER, asked)
    actor = _ACTOR.get(TokenKind(found.kind)) if found else None
    if found is None or actor is None:
        raise WrongToken("The access token is unknown, has expired or was ended.")
    if found.app_id != app_id:
        raise NotFound("app", "There is no such app.")
    return Caller(actor, app_id, found.user_id)


def count_of_user(ctx: Context, user_id: str) -> int:
    """How many tokens of a user are good now, those for refreshing included."""
    wanted = select(func.count()).where(BearerToken.app_id == ctx.app_id, BearerToken.user_id == user_id)
    return ctx.session.scalar(wanted.where(BearerToken.expires_at > ctx.now)) or 0


def end_all_of_user(ctx: Context, user_id: str) -> None:
    """Voids every token of one user (contract a.9)."""
    ctx.session.execute(
        delete(BearerToken).where(BearerToken.app_id == ctx.app_id, BearerToken.user_id == user_id)
    )


def end_all_of_key(ctx: Context, key_id: str) -> None:
    """Voids every token that was got with one key of the app (TEN-07)."""
    # These tokens have no user, which is what the index finds them by.
    ctx.session.execute(
        delete(BearerToken).where(
            BearerToken.app_id == ctx.app_id,
            BearerToken.user_id.is_(None),
            BearerToken.access_key_id == key_id,
        )
    )


def end_all_of_app(ctx: Context) -> None:
    """Voids every token of the app, as a new ClientSecret does (contract a.9)."""
    ctx.session.execute(delete(BearerToken).where(BearerToken.app_id == ctx.app_id))


def hashed(secret: str) -> str:
    """The SHA-256 (hex) under which a random secret is kept. Only for secrets of 128 bits and more."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _locked(ctx: Context, user_id: str | None) -> Row[*tuple[Any, ...]] | None:
    """A user's password hash, whether it is disabled, and the app's TokenLives; the user is locked.

    Whoever disables a user or changes its password waits for this lock, and so also ends the token that is
    being issued (contract a.3, a.9).
    """
    return ctx.execute(_LOCK, {"the_app": ctx.app_id, "the_id": user_id}).first()


def _readings(username: str) -> list[tuple[_Candidate, str]]:
    address = addresses.parse(username)
    if address.kind is addresses.AddressKind.EMAIL:
        return [(_BY_EMAIL, address.value.lower())]
    if address.kind is addresses.AddressKind.PHONE:
        return _as_phone(address.value)
    return [(_BY_NAME, username), (_BY_EMAIL, username.lower()), *_as_phone(username)]


def _as_phone(text: str) -> list[tuple[_Candidate, str]]:
    number = addresses.phone_number_of(text)
    return [] if number is None else [(_BY_PHONE, number)]


def _ends_at(ctx: Context, app: TokenLives, wish: int | None) -> int:
    if wish is None:
        return ctx.now + min(app.default_token_life_s, app.max_token_life_s) * 1000
    if wish <= ctx.now:
        raise BadInput("expiresAt", "expiresAt must lie in the future, in milliseconds.")
    return min(wish, ctx.now + app.max_token_life_s * 1000)


def _add(ctx: Context, kind: TokenKind, user_id: str | None, ends: int, key_id: str | None = None) -> str:
    token = secrets.token_urlsafe(32)
    row = {
        "token_hash": hashed(token),
        "app_id": ctx.app_id,
        "user_id": user_id,
        "access_key_id": key_id,
        "kind": kind,
        "expires_at": ends,
        "created_at": ctx.now,
    }
    ctx.execute(_ADD, row)
    return token
