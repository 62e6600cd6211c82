"""Who holds a verified number, and what happens to everybody else who wanted it?"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select, update

from portal.core.lifecycle import Event, State, after
from portal.errors import AlreadyExists, NothingToVerify
from portal.models import App, AuditAction, NumberTaken, User, Verification
from portal.services import audit
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class _Other:
    """Another user who holds or wants the number."""

    id: str
    holds: bool


def give(ctx: Context, phone_number: str, user_id: str) -> None:
    """Makes a number that waits at a user (unverified or pending) theirs, verified, at once.

    The number must be locked (phone_number_limits.lock). Whoever else waited for it waits no longer. Raises
    AlreadyExists when somebody holds it and the app does not let numbers move, NothingToVerify when it no
    longer waits at the user.
    """
    _clear_others(ctx, phone_number, user_id)
    waits = or_(
        (User.phone_number == phone_number)
        & User.phone_number_verified.is_(False)
        & _nothing_else_waits(ctx),
        (User.pending_phone_number == phone_number) & (User.pending_until > ctx.now),
    )
    taken = ctx.session.scalar(
        update(User)
        .where(User.app_id == ctx.app_id, User.id == user_id, waits)
        .values(**in_force(ctx, phone_number))
        .returning(User.id)
    )
    if taken is None:
        raise NothingToVerify("This user has no phone number to verify.", user_id=user_id)


def claim(ctx: Context, phone_number: str, user_id: str) -> None:
    """Clears the way for a number that becomes a user's without a code (switch off, or an admin's word).

    The number must be locked. Raises AlreadyExists as `give` does.
    """
    _clear_others(ctx, phone_number, user_id)


def in_force(ctx: Context, phone_number: str) -> dict[str, object]:
    """The columns of a user whose verified number is `phone_number`, with nothing pending."""
    return {
        "phone_number": phone_number,
        "phone_number_reversed": phone_number[::-1],
        "phone_number_verified": True,
        "phone_number_verified_at": ctx.now,
        "phone_number_superseded_at": None,
        "modified_at": ctx.now,
        **NOTHING_PENDING,
    }


NOTHING_PENDING: dict[str, None] = {
    "pending_phone_number": None,
    "pending_phone_number_reversed": None,
    "pending_since": None,
    "pending_until": None,
}


def _nothing_else_waits(ctx: Context) -> ColumnElement[bool]:
    return or_(User.pending_phone_number.is_(None), User.pending_until <= ctx.now)


def _clear_others(ctx: Context, phone_number: str, user_id: str) -> None:
    others = _others(ctx, phone_number, user_id)
    for other in others:
        if other.holds:
            _take_from(ctx, phone_number, other.id)
    if others:
        _supersede(ctx, phone_number, user_id)


def _others(ctx: Context, phone_number: str, user_id: str) -> list[_Other]:
    found = ctx.session.execute(
        select(User.id, User.phone_number, User.phone_number_verified)
        .where(User.app_id == ctx.app_id, User.id != user_id)
        .where(or_(User.phone_number == phone_number, User.pending_phone_number == phone_number))
    )
    return [_Other(row.id, row.phone_number_verified and row.phone_number == phone_number) for row in found]


def _take_from(ctx: Context, phone_number: str, holder_id: str) -> None:
    if ctx.session.get_one(App, ctx.app_id).number_taken != NumberTaken.MOVE:
        raise AlreadyExists("phoneNumber", phone_number)
    ctx.session.execute(
        update(User)
        .where(User.app_id == ctx.app_id, User.id == holder_id, User.phone_number == phone_number)
        .values(
            phone_number=None,
            phone_number_reversed=None,
            phone_number_verified=False,
            phone_number_verified_at=None,
            phone_number_superseded_at=ctx.now,
            modified_at=ctx.now,
        )
    )
    audit.record(ctx, AuditAction.NUMBER_LOST, holder_id)


def _supersede(ctx: Context, phone_number: str, user_id: str) -> None:
    ctx.session.execute(
        update(Verification)
        .where(Verification.app_id == ctx.app_id, Verification.phone_number == phone_number)
        .where(Verification.user_id != user_id, Verification.state == State.OPEN)
        .values(state=after(State.OPEN, Event.SUPERSEDE), ended_at=ctx.now)
    )
    ctx.session.execute(
        update(User)
        .where(User.app_id == ctx.app_id, User.pending_phone_number == phone_number, User.id != user_id)
        .values(**NOTHING_PENDING, modified_at=ctx.now)
    )
