"""How long are rows kept? Ends codes that nobody used, and removes what has served its time.

| rows | kept |
|---|---|
| messages, and verifications that have ended | 30 days |
| bearer tokens | until they expire |
| what a number was sent and guessed | a day after it was last touched: no limit looks back further |

A verification stays as long as its messages, since they would go with it, and with them the answer to
"why did I get no SMS?". Every verb works on a bounded batch and returns how many rows it changed.
"""

from sqlalchemy import delete, select, tuple_, update

from portal import clock
from portal.core import limits
from portal.core.lifecycle import Event, State, after
from portal.models import BearerToken, Message, PhoneNumberLimit, Verification
from portal.services.context import Context

BATCH = 500
MESSAGES_KEPT = 30 * clock.DAY
NUMBERS_REMEMBERED = limits.DAY


def end_expired_verifications(ctx: Context) -> int:
    """Open verifications whose code is too old become expired."""
    # Rows that somebody works on are left for the next round, so this job never waits and blocks nobody.
    dead = (
        select(Verification.app_id, Verification.id)
        .where(Verification.state == State.OPEN, Verification.code_expires_at <= ctx.now)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    keys = [tuple(row) for row in ctx.session.execute(dead)]
    if keys:
        ctx.session.execute(
            update(Verification)
            .where(tuple_(Verification.app_id, Verification.id).in_(keys), Verification.state == State.OPEN)
            .values(state=after(State.OPEN, Event.EXPIRE), ended_at=Verification.code_expires_at)
            .execution_options(synchronize_session=False)
        )
    return len(keys)


def remove_dead_tokens(ctx: Context) -> int:
    """Bearer tokens that have expired go."""
    dead = select(BearerToken.token_hash).where(BearerToken.expires_at <= ctx.now).limit(BATCH)
    gone = ctx.session.scalars(
        delete(BearerToken)
        .where(BearerToken.token_hash.in_(dead.scalar_subquery()))
        .returning(BearerToken.token_hash)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def remove_stale_number_limits(ctx: Context) -> int:
    """Tallies that no limit can look at any more go."""
    stale = (
        select(PhoneNumberLimit.app_id, PhoneNumberLimit.phone_number)
        .where(PhoneNumberLimit.touched_at <= ctx.now - NUMBERS_REMEMBERED)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    keys = [tuple(row) for row in ctx.session.execute(stale)]
    if keys:
        ctx.session.execute(
            delete(PhoneNumberLimit)
            .where(tuple_(PhoneNumberLimit.app_id, PhoneNumberLimit.phone_number).in_(keys))
            .execution_options(synchronize_session=False)
        )
    return len(keys)


def remove_old_messages(ctx: Context) -> int:
    """Messages of more than 30 days go."""
    # The oldest rows have the lowest serials, so looking at those is enough and needs no other index.
    oldest = select(Message.serial, Message.created_at).order_by(Message.serial).limit(BATCH).subquery()
    old = select(oldest.c.serial).where(oldest.c.created_at <= ctx.now - MESSAGES_KEPT)
    gone = ctx.session.scalars(
        delete(Message)
        .where(Message.serial.in_(old.scalar_subquery()))
        .returning(Message.serial)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def remove_old_verifications(ctx: Context) -> int:
    """Verifications that ended more than 30 days ago go; their messages are older still."""
    old = select(Verification.id).where(Verification.ended_at <= ctx.now - MESSAGES_KEPT).limit(BATCH)
    gone = ctx.session.scalars(
        delete(Verification)
        .where(Verification.id.in_(old.scalar_subquery()))
        .where(Verification.ended_at <= ctx.now - MESSAGES_KEPT)
        .returning(Verification.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
