"""Who is asked to join an app? Invites: one use, 72 hours, one address, a role of the asker's (TEN-08)."""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import clock
from portal.core.roles import Role, may_give
from portal.errors import BadInput, Forbidden, NotFound
from portal.models import Account, App, AuditAction, Invite
from portal.services import accounts, attempt_tallies, audit
from portal.services.attempt_tallies import Tried
from portal.services.context import Context
from portal.services.tokens import hashed

LIFE: Final = 72 * clock.HOUR
MOST_OPEN: Final = 50
# Whatever the cause, it reads the same: nobody learns whom an invite was for, or that there was one (ENU-05).
UNUSABLE: Final = (
    "This invite cannot be used. It was used or withdrawn, it is too old, or it is for another address."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invite offers to whom."""

    app_id: str
    app_name: str
    email: str
    role: Role
    has_account: bool


def send(ctx: Context, email: str, role: Role) -> tuple[Invite, str]:
    """An invite to the app of `ctx`, in place of an earlier one to the same address; and the key of its link.

    Raises BadInput (email, or role), Forbidden for a role above that of the account of `ctx`, and TooSoon.
    """
    address = accounts.read_address(email)
    giver = accounts.role_in(ctx.session, ctx.caller.id or "", ctx.app_id)
    if not may_give(giver, role):
        raise Forbidden("Nobody can give a role above their own.")
    account = accounts.find(ctx.session, address)
    if account and accounts.role_in(ctx.session, account.id, ctx.app_id):
        raise BadInput("email", "This person is a member already. Change the role on the Team page.")
    attempt_tallies.take(ctx, Tried.INVITE, ctx.caller.id or "")
    _drop(ctx.session, Invite.app_id == ctx.app_id, Invite.email == address)
    if len(open_of(ctx.session, ctx.app_id, ctx.now)) >= MOST_OPEN:
        raise BadInput("email", f"{MOST_OPEN} invites are open. Withdraw one that is not needed.")
    key = secrets.token_urlsafe(32)
    made = Invite(
        app_id=ctx.app_id,
        email=address,
        role=role,
        key_hash=hashed(key),
        invited_by=ctx.caller.id,
        created_at=ctx.now,
        expires_at=ctx.now + LIFE,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(made)
    except IntegrityError as error:
        raise BadInput("email", "Somebody invited this address at this very moment.") from error
    audit.record(ctx, AuditAction.MEMBER_INVITED, details=_told(made))
    return made, key


def open_of(session: Session, app_id: str, now: int) -> list[Invite]:
    """The invites to an app that can still be accepted, the newest first."""
    found = select(Invite).where(Invite.app_id == app_id, Invite.expires_at > now)
    return list(session.scalars(found.order_by(Invite.created_at.desc(), Invite.id)))


def withdraw(ctx: Context, invite_id: str) -> Invite:
    """Ends an open invite to the app of `ctx`. Raises NotFound when it was used or withdrawn meanwhile."""
    gone = _drop(ctx.session, Invite.app_id == ctx.app_id, Invite.id == invite_id)
    if gone is None:
        raise NotFound("invite", "This invite was used or withdrawn meanwhile.")
    audit.record(ctx, AuditAction.INVITE_WITHDRAWN, details=_told(gone))
    return gone


def look_at(session: Session, key: str, now: int) -> Offer:
    """What the invite behind a link offers. Raises NotFound, alike for every link that opens nothing."""
    found = session.scalar(select(Invite).where(Invite.key_hash == hashed(key), Invite.expires_at > now))
    if found is None or not _still_stands(session, found):
        raise NotFound("invite", UNUSABLE)
    name = session.scalar(select(App.name).where(App.id == found.app_id)) or ""
    has_account = accounts.find(session, found.email) is not None
    return Offer(found.app_id, name, found.email, Role(found.role), has_account)


def accept(ctx: Context, key: str, account: Account) -> str:
    """Makes a signed-in account a member; returns the app's id. The invite is used up in the same statement.

    Raises NotFound for every invite that cannot be used, also by an account with another address.
    """
    gone = _drop(
        ctx.session,
        Invite.key_hash == hashed(key),
        Invite.expires_at > ctx.now,
        Invite.email == account.email,
    )
    if gone is None or not _still_stands(ctx.session, gone):
        raise NotFound("invite", UNUSABLE)
    here = ctx.in_app(gone.app_id)
    if accounts.role_in(ctx.session, account.id, gone.app_id) is None:
        accounts.join(here, account.id, Role(gone.role))
        audit.record(here, AuditAction.MEMBER_JOINED, details=_told(gone))
    return gone.app_id


def accept_anew(ctx: Context, key: str, password_hash: str) -> tuple[Account, str]:
    """Makes an account for the invited address, and a member of it; returns both it and the app's id.

    Raises NotFound as `accept` does, and AlreadyExists when the address has an account by now.
    """
    offer = look_at(ctx.session, key, ctx.now)
    account = accounts.create(ctx, offer.email, password_hash)
    as_them = ctx.by_account(account.id)
    return account, accept(as_them, key, account)


def _still_stands(session: Session, invite: Invite) -> bool:
    """Whether who sent it could send it now (TEN-08)."""
    giver = accounts.role_in(session, invite.invited_by, invite.app_id)
    return may_give(giver, Role(invite.role))


def _drop(session: Session, *which: ColumnElement[bool]) -> Invite | None:
    return session.scalar(
        delete(Invite).where(*which).returning(Invite).execution_options(synchronize_session=False)
    )


def _told(invite: Invite) -> dict[str, object]:
    return {"account": invite.email, "role": invite.role}
