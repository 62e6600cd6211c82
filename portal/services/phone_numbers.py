"""Which number does a user have, and how does it become another one?"""

from dataclasses import replace

from sqlalchemy import select, tuple_, update

from portal.core import limits, phone_number
from portal.core.lifecycle import Purpose
from portal.core.limits import Tally
from portal.core.number_places import place
from portal.core.phone_number import PhoneNumber
from portal.errors import BadInput, Unauthorized
from portal.models import AuditAction, User
from portal.services import (
    app_settings,
    audit,
    number_holders,
    outbox,
    phone_number_limits,
    user_numbers,
    verifications,
)
from portal.services.app_settings import AppSettings
from portal.services.context import Context
from portal.services.countries import FIELD
from portal.services.outbox import Recipient
from portal.services.user_numbers import UserNumbers


def read(text: str, country: str | None) -> PhoneNumber:
    """A number as somebody wrote it, national form only with `country`. Raises BadInput with the fix."""
    try:
        return phone_number.parse(text, country)
    except phone_number.PhoneNumberError as error:
        raise BadInput(FIELD, str(error)) from error


def change(
    ctx: Context,
    user_id: str,
    text: str,
    verified: bool | None = None,
    *,
    country: str | None = None,
    locale: str | None = None,
) -> None:
    """The contract's PUT phone-number, and a phone number in a general update (b.2, a.2).

    `verified` is true only when an admin vouches for the number; then, and with verification off, it takes
    over at once. Otherwise it becomes pending and its code is sent; the number in force stays. The number in
    force itself cancels what is pending. `country` and `locale` are those that the user is about to have.
    Raises BadInput, NotFound, Unauthorized, AlreadyExists, TooSoon, and UserDisabled where a code would be
    sent to a user who may not send it back.
    """
    if verified and not ctx.caller.is_admin:
        raise Unauthorized("Only an administrator may mark a number as verified.")
    number = read(text, country or _country_for(ctx, user_id, text))
    tally = phone_number_limits.lock_new(ctx, number.e164)
    user = user_numbers.hold(ctx, user_id)
    app = app_settings.load(ctx, user.app_revision)
    if verified or not app.phone_number_verification_required:
        take_over(ctx, user.id, number)
    elif user.phone_number == number.e164 and user.phone_number_verified:
        cancel_change(ctx, user)
    elif user.waiting(ctx.now) == number.e164:
        # Who sends back what is there wants no SMS for a user who could not use it.
        if not user.disabled:
            verifications.resend(ctx, user.id, locale=locale)
    else:
        # What an update is about to write, the language of its SMS too, is the caller's to say.
        _make_pending(ctx, app, replace(user, locale=locale or user.locale), number, tally)


def take_over(ctx: Context, user_id: str, number: PhoneNumber) -> None:
    """Makes a locked number a user's, verified, without a code. Raises AlreadyExists when it is held."""
    verifications.cancel(ctx, user_id)
    number_holders.claim(ctx, number.e164, user_id, is_proven=ctx.caller.is_admin)
    number_holders.write(ctx, user_id, number_holders.in_force(ctx, number.e164))
    audit.record(ctx, AuditAction.NUMBER_SET, user_id)


def cancel_change(
    ctx: Context, user: UserNumbers, details: audit.Details = None, reason: str | None = None
) -> None:
    """Drops a user's pending number and its code; without one nothing happens (contract a.2).

    `details` and a typed `reason` go to the audit entry.
    """
    if user.pending_phone_number is None:
        return
    verifications.cancel(ctx, user.id)
    number_holders.write(ctx, user.id, number_holders.NOTHING_PENDING)
    audit.record(ctx, AuditAction.NUMBER_CHANGE_CANCELLED, user.id, details, reason)


def lapse_due(ctx: Context, most: int = 500) -> int:
    """Drops pending numbers of all apps whose day is over; returns how many. A periodic job's verb.

    Their verifications are left alone: a code lives ten minutes at most, and none works for a number that
    no longer waits.
    """
    due = (
        select(User.app_id, User.id)
        .where(User.pending_until <= ctx.now)
        .limit(most)
        # Whoever is being changed right now is left to the next round, so that nobody waits in a ring.
        .with_for_update(skip_locked=True, key_share=True)
    )
    lapsed = ctx.session.execute(
        update(User)
        .where(tuple_(User.app_id, User.id).in_(due), User.pending_until <= ctx.now)
        .values(**number_holders.NOTHING_PENDING, modified_at=ctx.now)
        .returning(User.app_id, User.id)
        .execution_options(synchronize_session=False)
    ).all()
    for app_id, user_id in lapsed:
        audit.record(ctx.in_app(app_id), AuditAction.NUMBER_CHANGE_LAPSED, user_id)
    return len(lapsed)


def _country_for(ctx: Context, user_id: str, text: str) -> str | None:
    """The country that a number in national form is read by; an international one needs none."""
    return None if phone_number.is_international(text) else user_numbers.load(ctx, user_id).country


def _make_pending(
    ctx: Context, app: AppSettings, user: UserNumbers, number: PhoneNumber, tally: Tally
) -> None:
    user.refuse_disabled()
    # Going back to the unverified number of the sign-up proves that one again, and nothing is pending.
    is_back = user.phone_number == number.e164
    purpose = Purpose.REGISTER if is_back else Purpose.CHANGE
    verifications.start(ctx, app, Recipient(user.id, number.e164, user.locale), purpose, tally)
    number_holders.write(ctx, user.id, number_holders.NOTHING_PENDING if is_back else _pending(ctx, number))
    _tell_old_number(ctx, app, user)
    audit.record(ctx, AuditAction.NUMBER_CHANGE_STARTED, user.id)


def _pending(ctx: Context, number: PhoneNumber) -> dict[str, object]:
    return {
        "pending_phone_number": number.e164,
        "pending_since": ctx.now,
        "pending_until": ctx.now + limits.PENDING_LIFE,
    }


def _tell_old_number(ctx: Context, app: AppSettings, user: UserNumbers) -> None:
    if not (app.notify_old_number and user.phone_number and user.phone_number_verified):
        return
    if place(user.phone_number) is None:
        # No numbering plan knows it any more, so nobody could read the notice.
        return
    # One notice an hour is enough, or a stolen token could flood the number that it is meant to protect.
    if not outbox.was_told_since(ctx, user.id, ctx.now - limits.HOUR):
        outbox.put_down_notice(ctx, app, Recipient(user.id, user.phone_number, user.locale))
