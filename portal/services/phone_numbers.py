"""Which number does a user have, and how does it become another one?"""

from sqlalchemy import select

from portal.core import limits, phone_number
from portal.core.lifecycle import Purpose
from portal.core.phone_number import PhoneNumber
from portal.errors import BadInput, Unauthorized
from portal.models import App, AuditAction, User
from portal.services import audit, number_holders, outbox, phone_number_limits, verifications
from portal.services.context import Context
from portal.services.countries import FIELD
from portal.services.outbox import Recipient


def read(text: str, country: str | None) -> PhoneNumber:
    """A number as somebody wrote it, national form only with `country`. Raises BadInput with the fix."""
    try:
        return phone_number.parse(text, country)
    except phone_number.PhoneNumberError as error:
        raise BadInput(FIELD, str(error)) from error


def change(ctx: Context, user: User, text: str, verified: bool | None = None) -> None:
    """The contract's PUT phone-number, and a phone number in a general update (b.2, a.2).

    `verified` is true only when an admin vouches for the number; then, and with verification off, it takes
    over at once. Otherwise it becomes pending and its code is sent; the number in force stays. The number in
    force itself cancels what is pending. Raises BadInput, Unauthorized, AlreadyExists, TooSoon.
    """
    if verified and not ctx.caller.is_admin:
        raise Unauthorized("Only an administrator may mark a number as verified.")
    app = ctx.session.get_one(App, ctx.app_id)
    number = read(text, user.country)
    if verified or not app.phone_number_verification_required:
        take_over(ctx, user.id, number)
    elif user.phone_number == number.e164 and user.phone_number_verified:
        cancel_change(ctx, user)
    elif _is_waiting(ctx, user, number):
        verifications.resend(ctx, user.id)
    else:
        _make_pending(ctx, app, user, number)


def take_over(ctx: Context, user_id: str, number: PhoneNumber) -> None:
    """Makes a number a user's, verified, without a code. Raises AlreadyExists when somebody holds it."""
    phone_number_limits.lock(ctx, number.e164)
    number_holders.claim(ctx, number.e164, user_id)
    verifications.cancel(ctx, user_id)
    number_holders.write(ctx, user_id, number_holders.in_force(ctx, number.e164))
    audit.record(ctx, AuditAction.NUMBER_SET, user_id)


def cancel_change(ctx: Context, user: User) -> None:
    """Drops a user's pending number and its code; without one nothing happens (contract a.2)."""
    if user.pending_phone_number is None:
        return
    verifications.cancel(ctx, user.id)
    number_holders.write(ctx, user.id, number_holders.NOTHING_PENDING)
    audit.record(ctx, AuditAction.NUMBER_CHANGE_CANCELLED, user.id)


def lapse_due(ctx: Context, most: int = 500) -> int:
    """Drops pending numbers of all apps whose day is over; returns how many. A periodic job's verb."""
    due = ctx.session.execute(
        select(User.app_id, User.id)
        .where(User.pending_until <= ctx.now)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for app_id, user_id in due:
        here = ctx.in_app(app_id)
        verifications.cancel(here, user_id)
        number_holders.write(here, user_id, number_holders.NOTHING_PENDING)
        audit.record(here, AuditAction.NUMBER_CHANGE_LAPSED, user_id)
    return len(due)


def _is_waiting(ctx: Context, user: User, number: PhoneNumber) -> bool:
    has_pending = user.pending_phone_number is not None and (user.pending_until or 0) > ctx.now
    waiting = user.pending_phone_number if has_pending else user.phone_number
    return waiting == number.e164


def _make_pending(ctx: Context, app: App, user: User, number: PhoneNumber) -> None:
    # Going back to the unverified number of the sign-up proves that one again, and nothing is pending.
    is_back = user.phone_number == number.e164
    purpose = Purpose.REGISTER if is_back else Purpose.CHANGE
    verifications.start(ctx, app, Recipient(user.id, number.e164, user.locale), purpose)
    number_holders.write(ctx, user.id, number_holders.NOTHING_PENDING if is_back else _pending(ctx, number))
    _tell_old_number(ctx, app, user)
    audit.record(ctx, AuditAction.NUMBER_CHANGE_STARTED, user.id)


def _pending(ctx: Context, number: PhoneNumber) -> dict[str, object]:
    return {
        "pending_phone_number": number.e164,
        "pending_phone_number_reversed": number.e164[::-1],
        "pending_since": ctx.now,
        "pending_until": ctx.now + limits.PENDING_LIFE,
    }


def _tell_old_number(ctx: Context, app: App, user: User) -> None:
    if not (app.notify_old_number and user.phone_number and user.phone_number_verified):
        return
    # One notice an hour is enough, or a stolen token could flood the number that it is meant to protect.
    if not outbox.was_told_since(ctx, user.id, ctx.now - limits.HOUR):
        outbox.put_down_notice(ctx, app, Recipient(user.id, user.phone_number, user.locale))
