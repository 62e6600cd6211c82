"""What ends by itself, and what is removed when?"""

from sqlalchemy import func, select

from portal.clock import DAY, MINUTE
from portal.models import (
    BearerToken,
    Message,
    PhoneNumberLimit,
    Verification,
)
from portal.services import retention
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
    assert session.scalars(select(PhoneNumberLimit.phone_number)).all() == [fresh.phone_number]


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
