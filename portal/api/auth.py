"""Who calls, and does that reach what was asked for? The app comes from the credential alone (TEN-01)."""

import base64
import binascii
from dataclasses import dataclass

from flask import current_app, g, request
from sqlalchemy.orm import Session

from portal import clock
from portal.api import key_uses
from portal.api.operations import Who, current
from portal.api.refusals import AccountTypeNotSupported
from portal.database import reading
from portal.errors import NotFound, Unauthorized
from portal.models import ActorKind, User
from portal.services import apps, fences, key_checks, tokens, users
from portal.services.context import Caller, Context, Parts

_ADMITTED: dict[Who, frozenset[ActorKind]] = {
    Who.APP: frozenset({ActorKind.APP}),
    Who.APP_OR_ADMIN: frozenset({ActorKind.APP, ActorKind.ADMIN}),
    Who.ANY_USER: frozenset({ActorKind.USER, ActorKind.ADMIN}),
    Who.USER: frozenset({ActorKind.USER, ActorKind.ADMIN}),
    Who.SELF: frozenset({ActorKind.USER}),
    Who.ADMIN: frozenset({ActorKind.ADMIN}),
}
_ACCOUNT_TYPES = frozenset({"EMAIL", "PHONE", "LOGIN_NAME"})
# Longer than every identifier that can exist; a longer one is not looked for.
_LONGEST_ADDRESS = 300


@dataclass(frozen=True, slots=True)
class AppName:
    """Which app a caller says it is, and by which AppKey."""

    app_id: str
    app_key: str


def parts() -> Parts:
    """What the factory put together."""
    found: Parts = current_app.extensions["ringback"]
    return found


def enter(session: Session, app_id: str) -> Context:
    """The surroundings of the present operation, for a caller whom its `auth` admits.

    Raises Unauthorized (no or too weak credentials), WrongToken, and NotFound of the app when the
    credential belongs to another one, which reads the same as an app that does not exist (TEN-02).
    """
    caller = _bearer(session, app_id) or _app(session, app_id)
    g.api_caller = caller
    if caller.kind not in _ADMITTED[current().who]:
        raise Unauthorized("These credentials do not reach this.")
    return parts().context(session, caller)


def admit(app_id: str) -> Caller:
    """Who calls, for work that must not hold a connection or the write lock, such as hashing a password.

    Raises what `enter` raises.
    """
    session = reading()
    try:
        return enter(session, app_id).caller
    finally:
        session.rollback()


def again(session: Session) -> Context:
    """The surroundings of the caller who was admitted before, in the transaction that follows."""
    return parts().context(session, g.api_caller)


def enter_to_log_in(session: Session, app_id: str | None) -> Context:
    """The surroundings of a token request, made in the app's name.

    Without an app in the path it comes from the credential (contract b.4). A bearer token that is sent
    along says nothing here. Raises Unauthorized, and NotFound of the app.
    """
    basic = _app_of_basic()
    named = app_id or (basic.app_id if basic else "") or request.headers.get("X-Kii-AppID", "")
    fences.stand(session, named)
    g.api_app_id = named
    g.api_caller = _app(session, named)
    return parts().context(session, g.api_caller)


def reach(ctx: Context, user: str) -> str:
    """The id of the user whom the path names and whom the caller may act on: itself, or anyone for an admin.

    Raises NotFound of the user, Unauthorized for somebody else's, AccountTypeNotSupported.
    """
    own_id = ctx.caller.id if ctx.caller.kind is ActorKind.USER else None
    found = own_id if own_id is not None and user in ("me", own_id) else look_up(ctx, user)
    if own_id is not None and found != own_id:
        raise Unauthorized("This is another user.")
    g.api_user_id = found
    return found


def reach_to_read(ctx: Context, user: str) -> str:
    """The id of the user whose address the caller may read: others' only with full exposure (b.2)."""
    own_id = ctx.caller.id if ctx.caller.kind is ActorKind.USER else None
    found = look_up(ctx, user)
    if own_id not in (None, found) and not apps.get(ctx.session, ctx.app_id).expose_full_user_data_to_others:
        raise Unauthorized("This is another user.")
    return found


def reach_user(ctx: Context, user: str) -> User:
    """The row of the user whom `reach` finds, for calls that read more of it."""
    return users.get(ctx, reach(ctx, user))


def look_up(ctx: Context, user: str) -> str:
    """The id of the user whom the path names, whoever that is.

    Raises NotFound of the user, AccountTypeNotSupported, and Unauthorized for `me` without a user's token.
    """
    if user == "me":
        if ctx.caller.kind is ActorKind.USER and ctx.caller.id is not None:
            return ctx.caller.id
        raise Unauthorized("Only a user's own token has a me.")
    prefix, colon, _address = user.partition(":")
    if colon and prefix not in _ACCOUNT_TYPES:
        raise AccountTypeNotSupported("Name a user by ID, me, EMAIL:, PHONE: or LOGIN_NAME:.")
    if "\0" in user or len(user) > _LONGEST_ADDRESS:
        raise NotFound("user", "There is no such user.")
    return users.find(ctx, user).id


def _bearer(session: Session, app_id: str) -> Caller | None:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    if request.headers.get("X-Kii-AppID", app_id) != app_id:
        raise _no_app()
    return tokens.authenticate(session, app_id, token.strip(), clock.now())


def _app(session: Session, app_id: str) -> Caller:
    named = [name for name in (_app_of_headers(), _app_of_basic()) if name is not None]
    if not named:
        raise Unauthorized("Send Authorization: Basic or Bearer, or X-Kii-AppID and X-Kii-AppKey.")
    if any(name.app_id != app_id for name in named) or "\0" in app_id:
        raise _no_app()
    key_uses.remember(key_checks.admit(session, app_id, tokens.hashed(named[0].app_key), clock.now()))
    return Caller(ActorKind.APP, app_id)


def _app_of_headers() -> AppName | None:
    # Any AppKey is taken but an ended one, and one must be there (contract b.1).
    app_id, app_key = request.headers.get("X-Kii-AppID"), request.headers.get("X-Kii-AppKey")
    return None if app_id is None or app_key is None else AppName(app_id, app_key)


def _app_of_basic() -> AppName | None:
    scheme, _space, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        app_id, colon, app_key = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise Unauthorized("The Basic credentials cannot be read.") from None
    if not colon:
        raise Unauthorized("The Basic credentials must read AppID:anything.")
    return AppName(app_id, app_key)


def _no_app() -> NotFound:
    return NotFound("app", "There is no such app.")
