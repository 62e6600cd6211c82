"""Who holds a verified number, and what happens to everybody else who wanted it?"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BigInteger, Row, String, and_, bindparam, or_, select, update

from portal.core.lifecycle import Event, State, after
from portal.core.number_places import place
from portal.errors import AlreadyExists, NothingToVerify
from portal.models import App, AuditAction, NumberTaken, User, Verification, table
from portal.services import audit, user_numbers
from portal.services.context import Context

_USER, _VERIFICATION = table(User), table(Verification)
_APP, _ID = bindparam("the_app", type_=String), bindparam("the_id", type_=String)
_NUMBER, _NOW = bindparam("the_number", type_=String), bindparam("the_now", type_=BigInteger)
_SELF = and_(_USER.c.app_id == _APP, _USER.c.id == _ID)
_TAKE = update(_USER).where(_SELF, user_numbers.waiting(_USER.c, _NOW) == _NUMBER).returning(_USER.c.id)
_WRITE = update(_USER).where(_SELF)
_WANTS = or_(_USER.c.phone_number == _NUMBER, _USER.c.pending_phone_number == _NUMBER)
_HAS_OTHERS = select(_USER.c.id).where(_USER.c.app_id == _APP, _USER.c.id != _ID, _WANTS).limit(1)
# PostgreSQL locks in the order of the rows, and gives what a row has become while its lock was waited for.
_LINED_UP = (
    select(_USER.c.id, _USER.c.phone_number, _USER.c.phone_number_verified)
    .where(_USER.c.app_id == _APP, or_(_USER.c.id == _ID, _WANTS))
    .order_by(_USER.c.id)
    .with_for_update(key_share=True)
)
# For the many numbers that nobody else holds or wants, one statement looks and takes. Each half has an index.
_ANYBODY = _USER.alias("anybody")
_ELSE = select(_ANYBODY.c.serial).where(_ANYBODY.c.app_id == _APP, _ANYBODY.c.id != _ID)
TAKE_FREE = _TAKE.where(
    ~_ELSE.where(_ANYBODY.c.phone_number == _NUMBER).exists(),
    ~_ELSE.where(_ANYBODY.c.pending_phone_number == _NUMBER).exists(),
)
_END_OTHER_ATTEMPTS = (
    update(_VERIFICATION)
    .where(_VERIFICATION.c.app_id == _APP, _VERIFICATION.c.phone_number == _NUMBER)
    .where(_VERIFICATION.c.user_id != _ID, _VERIFICATION.c.state == State.OPEN)
)
_DROP_OTHER_PENDINGS = update(_USER).where(
    _USER.c.app_id == _APP, _USER.c.pending_phone_number == _NUMBER, _USER.c.id != _ID
)

NOTHING_PENDING: dict[str, None] = {
    "pending_phone_number": None,
    "pending_since": None,
    "pending_until": None,
}
# The columns that `in_force` gives.
IN_FORCE: Final = (
    "phone_number",
    "phone_country",
    "phone_number_verified",
    "phone_number_verified_at",
    "phone_number_superseded_at",
    "modified_at",
    *NOTHING_PENDING,
)


def give(ctx: Context, phone_number: str, user_id: str, reason: str | None = None) -> None:
    """Makes a number that waits at a user (unverified or pending) theirs, verified, at once.

    The number must be locked (phone_number_limits.lock). Whoever else waited for it waits no longer; a
    typed `reason` goes to the audit entry of whoever loses it. Raises AlreadyExists when somebody holds it
    and the app does not let numbers move, NothingToVerify when it no longer waits at the user.
    """
    if ctx.scalar(TAKE_FREE, taking(ctx, phone_number, user_id)) is None:
        give_claimed(ctx, phone_number, user_id, reason)


def give_claimed(ctx: Context, phone_number: str, user_id: str, reason: str | None = None) -> None:
    """The same for a number that somebody else holds or wants too."""
    claim(ctx, phone_number, user_id, is_proven=True, reason=reason)
    if ctx.scalar(_TAKE, taking(ctx, phone_number, user_id)) is None:
        raise NothingToVerify("This user has no phone number to verify.", user_id=user_id)


def taking(ctx: Context, phone_number: str, user_id: str) -> dict[str, object]:
    """What TAKE_FREE is run with: who takes which number, and the columns of whoever has it."""
    return _named(ctx, phone_number, user_id) | {"the_now": ctx.now} | in_force(ctx, phone_number)


def claim(
    ctx: Context, phone_number: str, user_id: str, *, is_proven: bool, reason: str | None = None
) -> None:
    """Clears the way for a number that becomes a user's: whoever held or wanted it does no longer.

    The number must be locked. Only a number that is proven, by its code or by an admin's word, is ever taken
    from its holder (OTP-12). Raises AlreadyExists as `give` does.
    """
    others = line_up(ctx, phone_number, user_id)
    for other in others:
        if other.phone_number_verified and other.phone_number == phone_number:
            if not is_proven:
                raise AlreadyExists("phoneNumber", phone_number)
            _take_from(ctx, phone_number, other.id, reason)
    if others:
        named = _named(ctx, phone_number, user_id)
        ctx.execute(_DROP_OTHER_PENDINGS, named | NOTHING_PENDING | {"modified_at": ctx.now})


def line_up(ctx: Context, phone_number: str, user_id: str) -> list[Row[Any]]:
    """Locks a user and all others who hold or want a number, whose codes for it end; returns the others.

    The number must be locked, so nobody joins them. Whoever changes the numbers of two users locks them
    here, in the order of their IDs: two who take each other's number at the same moment would otherwise
    wait for each other.
    """
    named = _named(ctx, phone_number, user_id)
    if ctx.scalar(_HAS_OTHERS, named) is None:
        return []
    # Verifications are locked before users.
    ended = {"state": after(State.OPEN, Event.SUPERSEDE), "ended_at": ctx.now}
    ctx.execute(_END_OTHER_ATTEMPTS, named | ended)
    return [row for row in ctx.execute(_LINED_UP, named) if row.id != user_id]


def write(ctx: Context, user_id: str, columns: Mapping[str, object]) -> None:
    """Writes columns that `in_force` or NOTHING_PENDING gave to a user's row."""
    named = {"the_app": ctx.app_id, "the_id": user_id}
    ctx.add(_WRITE, named | {"modified_at": ctx.now} | dict(columns))


def in_force(ctx: Context, phone_number: str) -> dict[str, object]:
    """The columns of a user whose verified number is `phone_number`, with nothing pending."""
    return {
        "phone_number": phone_number,
        "phone_country": place(phone_number),
        "phone_number_verified": True,
        "phone_number_verified_at": ctx.now,
        "phone_number_superseded_at": None,
        "modified_at": ctx.now,
        **NOTHING_PENDING,
    }


def lost(ctx: Context) -> dict[str, object]:
    """The columns of a user whose number in force was taken away; what is pending stays."""
    return {
        "phone_number": None,
        "phone_country": None,
        "phone_number_verified": False,
        "phone_number_verified_at": None,
        "phone_number_superseded_at": ctx.now,
    }


def _take_from(ctx: Context, phone_number: str, holder_id: str, reason: str | None) -> None:
    if ctx.session.get_one(App, ctx.app_id).number_taken != NumberTaken.MOVE:
        raise AlreadyExists("phoneNumber", phone_number)
    write(ctx, holder_id, lost(ctx))
    audit.record(ctx, AuditAction.NUMBER_LOST, holder_id, reason=reason)


def _named(ctx: Context, phone_number: str, user_id: str) -> dict[str, object]:
    return {"the_app": ctx.app_id, "the_id": user_id, "the_number": phone_number}
