"""What was a number sent and guessed lately? Reads and writes its tally, whose row is the number's lock."""

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.core import limits
from portal.core.limits import Tally
from portal.models import PhoneNumberLimit
from portal.services.context import Context


def lock(ctx: Context, phone_number: str) -> Tally:
    """The tally of a number, locked until the transaction ends.

    Whoever changes what a number is sent, guessed or held by takes this lock first, so two such changes of
    one number never run at once (OTP-16, ABU-07). Locks are taken in the order number, verification, user.
    """
    tally = _read(ctx, phone_number)
    if tally is None:
        _add(ctx, phone_number)
        tally = _read(ctx, phone_number)
    return tally or Tally()


def write(ctx: Context, phone_number: str, tally: Tally) -> None:
    """Stores a tally whose number this transaction has locked."""
    ctx.session.execute(
        update(PhoneNumberLimit)
        .where(PhoneNumberLimit.app_id == ctx.app_id, PhoneNumberLimit.phone_number == phone_number)
        .values(
            sent_times=limits.write_times(tally.sent),
            failed_guess_times=limits.write_times(tally.failed_guesses),
            touched_at=ctx.now,
        )
    )


def _add(ctx: Context, phone_number: str) -> None:
    row = {
        "app_id": ctx.app_id,
        "phone_number": phone_number,
        "sent_times": "",
        "failed_guess_times": "",
        "touched_at": ctx.now,
    }
    # Somebody else may add it at the same moment; both then read, and one waits for the other's lock.
    if ctx.session.get_bind().dialect.name == "postgresql":
        ctx.session.execute(postgresql.insert(PhoneNumberLimit).values(row).on_conflict_do_nothing())
    else:
        ctx.session.execute(sqlite.insert(PhoneNumberLimit).values(row).on_conflict_do_nothing())


def _read(ctx: Context, phone_number: str) -> Tally | None:
    found = ctx.session.execute(
        select(PhoneNumberLimit.sent_times, PhoneNumberLimit.failed_guess_times)
        .where(PhoneNumberLimit.app_id == ctx.app_id, PhoneNumberLimit.phone_number == phone_number)
        .with_for_update()
    ).first()
    if found is None:
        return None
    return Tally(limits.read_times(found.sent_times), limits.read_times(found.failed_guess_times))
