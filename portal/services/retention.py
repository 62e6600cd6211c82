"""How long are rows kept? Ends codes that nobody used, and removes what has served its time.

| rows | kept |
|---|---|
| messages, and verifications that have ended | 30 days, or as the operator has set |
| audit entries | 365 days, or as the operator has set |
| users who have nothing but a number that they never proved | for ever, or as the operator has set |
| answers to repeated calls | a day |
| bearer tokens | until they expire |
| signs of life of workers that died | a day |
| what a number was sent and guessed | a day after it was last touched: no limit looks back further |

A verification stays as long as its messages, since they would go with it, and with them the answer to
"why did I get no SMS?". Every verb works on a bounded batch and returns how many rows it changed.
"""

from sqlalchemy import delete, select, tuple_, update

from portal.core import limits
from portal.core.lifecycle import Event, State, after
from portal.models import (
    App,
    BearerToken,
    IdempotencyKey,
    Message,
    PhoneNumberLimit,
    User,
    Verification,
    WorkerBeat,
)
from portal.services import audit_sealing, beats, users
from portal.services.context import Context

BATCH = 500
# Erasing one user takes a dozen statements.
BATCH_OF_USERS = 50
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
        select(PhoneNumberLimit.app_id, PhoneNumberLimit.number_hash)
        .where(PhoneNumberLimit.touched_at <= ctx.now - NUMBERS_REMEMBERED)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    keys = [tuple(row) for row in ctx.session.execute(stale)]
    if keys:
        ctx.session.execute(
            delete(PhoneNumberLimit)
            .where(tuple_(PhoneNumberLimit.app_id, PhoneNumberLimit.number_hash).in_(keys))
            .execution_options(synchronize_session=False)
        )
    return len(keys)


def remove_old_messages(ctx: Context) -> int:
    """Messages that are too old go."""
    # The oldest rows have the lowest serials, so looking at those is enough and needs no other index.
    oldest = select(Message.serial, Message.created_at).order_by(Message.serial).limit(BATCH).subquery()
    old = select(oldest.c.serial).where(oldest.c.created_at <= ctx.now - ctx.keeping.messages)
    gone = ctx.session.scalars(
        delete(Message)
        .where(Message.serial.in_(old.scalar_subquery()))
        .returning(Message.serial)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def remove_old_verifications(ctx: Context) -> int:
    """Verifications that ended too long ago go; their messages are older still."""
    old = select(Verification.id).where(Verification.ended_at <= ctx.now - ctx.keeping.messages).limit(BATCH)
    gone = ctx.session.scalars(
        delete(Verification)
        .where(Verification.id.in_(old.scalar_subquery()))
        .where(Verification.ended_at <= ctx.now - ctx.keeping.messages)
        .returning(Verification.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def remove_old_audit_entries(ctx: Context) -> int:
    """Audit entries that are too old go; their chain begins later then (PII-07)."""
    return audit_sealing.remove(ctx, ctx.now - ctx.keeping.audit)


def remove_old_idempotency_keys(ctx: Context) -> int:
    """Answers that no repeated call can get any more go (DEL-11)."""
    too_old = IdempotencyKey.created_at <= ctx.now - ctx.keeping.idempotency_keys
    key = (IdempotencyKey.app_id, IdempotencyKey.route, IdempotencyKey.key_hash)
    keys = [tuple(row) for row in ctx.session.execute(select(*key).where(too_old).limit(BATCH))]
    if keys:
        ctx.session.execute(
            delete(IdempotencyKey)
            .where(tuple_(*key).in_(keys))
            .where(too_old)
            .execution_options(synchronize_session=False)
        )
    return len(keys)


def remove_unverified_users(ctx: Context) -> int:
    """Users go who signed up with nothing but a number and never proved it, where the operator wants that.

    Whoever has a login name or an e-mail address can log in without a number, and stays.
    """
    if ctx.keeping.unverified_users is None:
        return 0
    found = ctx.session.execute(
        select(User.app_id, User.id)
        .join(App, App.id == User.app_id)
        .where(App.phone_number_verification_required.is_(True))
        .where(User.phone_number.is_not(None), User.phone_number_verified.is_(False))
        .where(User.phone_number_verified_at.is_(None), User.phone_number_superseded_at.is_(None))
        .where(User.login_name.is_(None), User.email_address.is_(None))
        .where(User.created_at <= ctx.now - ctx.keeping.unverified_users)
        .limit(BATCH_OF_USERS)
    ).all()
    for app_id, user_id in found:
        users.delete(ctx.in_app(app_id), user_id)
    return len(found)


def remove_dead_beats(ctx: Context) -> int:
    """Signs of life of workers that died go."""
    ctx.session.execute(delete(WorkerBeat).where(WorkerBeat.beat_at <= ctx.now - beats.KEPT))
    return 0
