"""What ends by itself, and what is removed when?"""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.clock import DAY, MINUTE
from portal.core.keeping import Keeping
from portal.models import (
    ActorKind,
    AuditEntry,
    BearerToken,
    IdempotencyKey,
    Message,
    PhoneNumberLimit,
    User,
    Verification,
    WorkerBeat,
)
from portal.services import audit_sealing, retention
from tests import factories


def test_an_open_verification_whose_code_is_too_old_expires_at_the_moment_that_it_did(session, do, clock):
    dead = factories.verification(session, code_expires_at=clock.at)
    live = factories.verification(session, code_expires_at=clock.at + 1)
    assert do(retention.end_expired_verifications) == 1
    assert do(retention.end_expired_verifications) == 0
    ended = session.get(Verification, (dead.app_id, dead.id))
    assert (ended.state, ended.ended_at) == ("expired", clock.at)
    assert session.get(Verification, (live.app_id, live.id)).state == "open"


def test_a_dead_token_goes_and_a_good_one_stays(session, do, clock):
    factories.bearer_token(session, expires_at=clock.at)
    good = factories.bearer_token(session, expires_at=clock.at + 1)
    assert do(retention.remove_dead_tokens) == 1
    assert session.scalars(select(BearerToken.token_hash)).all() == [good.token_hash]


def test_a_number_is_remembered_for_a_day(session, do, clock):
    factories.phone_number_limit(session, touched_at=clock.at - DAY)
    fresh = factories.phone_number_limit(session, touched_at=clock.at - DAY + 1)
    assert do(retention.remove_stale_number_limits) == 1
    assert session.scalars(select(PhoneNumberLimit.number_hash)).all() == [fresh.number_hash]


def test_a_message_is_kept_for_thirty_days_and_its_verification_with_it(session, do, clock):
    old = clock.at - 30 * DAY
    gone = factories.message(session, state="sent", created_at=old)
    kept = factories.message(session, state="sent", created_at=old + 1)
    for message, ended_at in ((gone, old + MINUTE), (kept, old + MINUTE)):
        attempt = session.get(Verification, (message.app_id, message.verification_id))
        attempt.state, attempt.ended_at = "expired", ended_at
    session.flush()
    assert do(retention.remove_old_messages) == 1
    assert do(retention.remove_old_verifications) == 0
    assert session.scalars(select(Message.id)).all() == [kept.id]
    clock.advance(60)
    assert do(retention.remove_old_messages) == 1
    assert do(retention.remove_old_verifications) == 2
    assert count(session, Message) == count(session, Verification) == 0


def test_an_open_verification_is_never_removed(session, do, clock):
    factories.verification(session, created_at=clock.at - 60 * DAY, code_expires_at=clock.at - 59 * DAY)
    assert do(retention.remove_old_verifications) == 0
    assert count(session, Verification) == 1


def count(session, model) -> int:
    return session.scalar(select(func.count()).select_from(model))


# --- What the operator sets (PII-04) -------------------------------------------------------------


@pytest.fixture
def keep(transaction, context_for):
    """`keep(verb, messages=...)` is one transaction around a verb, with other periods (ms)."""

    def run(verb, **periods) -> int:
        with transaction() as writing:
            return verb(replace(context_for(writing), keeping=Keeping(**periods)))

    return run


def test_pii_04_messages_and_verifications_are_kept_as_long_as_the_operator_says(session, keep, clock):
    message = factories.message(session, state="sent", created_at=clock.at - 7 * DAY)
    attempt = session.get(Verification, (message.app_id, message.verification_id))
    attempt.state, attempt.ended_at = "expired", clock.at - 7 * DAY
    session.flush()
    assert keep(retention.remove_old_messages, messages=7 * DAY + 1) == 0
    assert keep(retention.remove_old_messages, messages=7 * DAY) == 1
    assert keep(retention.remove_old_verifications, messages=7 * DAY) == 1


def test_pii_04_audit_entries_are_kept_for_a_year(session, do, clock):
    factories.audit_entry(session, at=clock.at - 365 * DAY)
    kept = factories.audit_entry(session, at=clock.at - 365 * DAY + 1)
    assert do(audit_sealing.seal) == 2
    assert do(retention.remove_old_audit_entries) == 1
    assert session.scalars(select(AuditEntry.id)).all() == [kept.id]


def test_del_11_answers_to_repeated_calls_are_kept_for_a_day(session, do, clock):
    factories.idempotency_key(session, created_at=clock.at - DAY)
    kept = factories.idempotency_key(session, created_at=clock.at - DAY + 1)
    assert do(retention.remove_old_idempotency_keys) == 1
    assert session.scalars(select(IdempotencyKey.key_hash)).all() == [kept.key_hash]


def test_pii_04_who_has_nothing_but_an_unproven_number_goes_where_the_operator_says_so(session, keep, clock):
    app = factories.app(session, phone_number_verification_required=True)
    old = {"app_id": app.id, "created_at": clock.at - 7 * DAY}
    number = {"login_name": None, "phone_number": "+819012345678"}
    gone = factories.user(session, **old, **number)
    kept = [
        factories.user(session, **old, phone_number="+819012345678"),
        factories.user(session, **old, **number | {"email_address": "a@example.com"}),
        factories.user(session, **old, login_name=None),
        factories.user(session, **old, **number | {"phone_number_verified": True}),
        factories.user(session, **old | {"created_at": clock.at - 7 * DAY + 1}, **number),
        factories.user(session, **number, created_at=clock.at - 7 * DAY),
    ]
    assert keep(retention.remove_unverified_users) == 0
    assert keep(retention.remove_unverified_users, unverified_users=7 * DAY) == 1
    assert set(session.scalars(select(User.id))) == {user.id for user in kept}
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor_kind, entry.user_id) == ("user.deleted", "system", gone.id)


def test_a_dead_workers_last_sign_of_life_is_kept_for_a_day(session, do, clock):
    factories.worker_beat(session, beat_at=clock.at - DAY)
    kept = factories.worker_beat(session, beat_at=clock.at - DAY + 1)
    do(retention.remove_dead_beats)
    assert session.scalars(select(WorkerBeat.id)).all() == [kept.id]


def test_the_operators_periods_reach_the_jobs(app, settings, transaction):
    from portal.services.context import Caller

    parts = app.extensions["ringback"]
    chosen = replace(settings, keep_messages_days=7, keep_audit_days=30, keep_unverified_users_days=9)
    changed = replace(parts, settings=chosen)
    with transaction() as session:
        keeping = changed.context(session, Caller(ActorKind.SYSTEM)).keeping
        usual = parts.context(session, Caller(ActorKind.SYSTEM)).keeping
    assert keeping == Keeping(messages=7 * DAY, audit=30 * DAY, unverified_users=9 * DAY)
    assert usual == Keeping()
