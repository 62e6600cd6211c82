"""Who is a member of an app, as what? Roles changed and members removed; one owner always stays (TEN-06)."""

from dataclasses import dataclass

from sqlalchemy import Update, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import Delete

from portal.core.roles import Action, Role, may
from portal.errors import BadInput, NotFound
from portal.models import Account, AccountSession, App, AuditAction, Invite, Membership
from portal.services import audit
from portal.services.context import Context

LAST_OWNER = "An app needs an owner, and this is the only one. Make somebody else an owner first."


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an app. `since` is Unix ms."""

    account_id: str
    email: str
    role: Role
    since: int


def members(session: Session, app_id: str) -> list[Member]:
    """The members of an app, owners first, then by address."""
    rows = session.execute(
        select(Account.id, Account.email, Membership.role, Membership.created_at)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.app_id == app_id)
        .order_by(Membership.role, Account.email)
    )
    return [Member(row.id, row.email, Role(row.role), row.created_at) for row in rows]


def member(session: Session, app_id: str, account_id: str) -> Member:
    """One member of an app. Raises NotFound for whoever is none."""
    found = next((each for each in members(session, app_id) if each.account_id == account_id), None)
    if found is None:
        raise NotFound("member", "There is no such member of this app.")
    return found


def change_role(ctx: Context, account_id: str, role: Role) -> Member:
    """Gives a member of the app of `ctx` another role, from the next request on (TEN-06).

    Raises NotFound, and BadInput (role) where no owner would be left.
    """
    before = member(ctx.session, ctx.app_id, account_id)
    if before.role is role:
        return before
    changed = update(Membership).values(role=role).returning(Membership.role)
    _unless_last_owner(ctx, changed, account_id)
    if not may(role, Action.MANAGE_TEAM):
        _take_powers(ctx, account_id)
    told = _told(before)
    details = {"before": told, "after": told | {"role": role}, "account_id": account_id}
    audit.record(ctx, AuditAction.MEMBER_CHANGED, details=details)
    return member(ctx.session, ctx.app_id, account_id)


def remove(ctx: Context, account_id: str) -> Member:
    """Ends a membership in the app of `ctx`; its account is signed out, but for who leaves by themselves.

    Raises NotFound, and BadInput (role) where no owner would be left.
    """
    gone = member(ctx.session, ctx.app_id, account_id)
    _unless_last_owner(ctx, delete(Membership).returning(Membership.role), account_id)
    _take_powers(ctx, account_id)
    audit.record(ctx, AuditAction.MEMBER_REMOVED, details=_told(gone) | {"account_id": account_id})
    return gone


def _unless_last_owner(ctx: Context, change: Update | Delete, account_id: str) -> None:
    """Makes a change in one statement that decides too. Owners who leave together take turns at the app."""
    # Not a lock that foreign keys wait for: nobody's sign-up is held up by this.
    turn = select(App.id).where(App.id == ctx.app_id).with_for_update(key_share=True)
    ctx.session.execute(turn)
    others = aliased(Membership)
    is_not_the_last = exists().where(
        others.app_id == ctx.app_id, others.role == Role.OWNER, others.account_id != account_id
    )
    done = ctx.session.execute(
        change.where(Membership.app_id == ctx.app_id, Membership.account_id == account_id)
        .where(or_(Membership.role != Role.OWNER, is_not_the_last))
        .execution_options(synchronize_session=False)
    ).first()
    if done is None:
        # Whoever went at this very moment is no owner who has to stay.
        member(ctx.session, ctx.app_id, account_id)
        raise BadInput("role", LAST_OWNER)


def _take_powers(ctx: Context, account_id: str) -> None:
    """What somebody began as an owner ends with that, and so do their sessions (TEN-06)."""
    asked = delete(Invite).where(Invite.app_id == ctx.app_id, Invite.invited_by == account_id)
    ctx.session.execute(asked.execution_options(synchronize_session=False))
    if account_id != ctx.caller.id:
        signed_in = delete(AccountSession).where(AccountSession.account_id == account_id)
        ctx.session.execute(signed_in.execution_options(synchronize_session=False))


def _told(member: Member) -> dict[str, object]:
    return {"account": member.email, "role": member.role}
