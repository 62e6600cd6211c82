"""What does it take to have a message tried again that was set aside?"""

import threading

import pytest
from sqlalchemy import select

from portal.core.reasons import Reason
from portal.delivery.providers.base import ProviderUnreachable
from portal.errors import (
    BadInput,
    CodeExpired,
    NotFound,
    NothingToVerify,
    Overtaken,
    TooSoon,
    UserDisabled,
)
from portal.models import AuditAction, AuditEntry, MessageState
from portal.services import message_redrives, users
from tests import factories
from tests.delivery.conftest import DORA

WHY = "The carrier was down"
WAITS = (3, 9, 27, 81)


@pytest.fixture
def dead(office, clock):
    """Dora's message, which failed five times."""
    office.carrier.script = [ProviderUnreachable("no route")] * 5
    dora = office.sign_up()
    for wait in (*WAITS, 60):
        office.send()
        clock.advance(wait)
    message = office.message(dora)
    assert message.state == MessageState.DEAD
    return message


def redrive(office, message_id: str, reason: str = WHY) -> None:
    office.do(lambda ctx: message_redrives.redrive(ctx, message_id, reason))


def test_del_08_it_goes_out_with_the_same_code_and_the_same_reference(office, dead):
    redrive(office, dead.id)
    assert office.send() == 1
    tried = {(sms.reference, sms.text) for sms in office.carrier.tried}
    assert len(tried) == 1
    message = office.message(dead.user_id)
    assert (message.id, message.state, message.attempts) == (dead.id, "sent", 1)


def test_it_has_five_new_attempts_and_may_die_again(office, dead, clock):
    office.carrier.script = [ProviderUnreachable()] * 5
    redrive(office, dead.id)
    for wait in (*WAITS, 0):
        office.send()
        clock.advance(wait)
    message = office.message(dead.user_id)
    assert (message.state, message.attempts) == ("dead", 5)


def test_its_slot_is_taken_again_now_and_given_back_when_it_dies_again(office, dead, clock):
    assert (office.verification(dead.user_id).sends, office.sent_times()) == (0, "")
    redrive(office, dead.id)
    found = office.verification(dead.user_id)
    assert (found.sends, found.last_sent_at, office.sent_times()) == (1, clock.at, str(clock.at))
    office.set(open_countries=frozenset({"DE"}))
    office.send()
    assert (office.verification(dead.user_id).sends, office.sent_times()) == (0, "")


def test_ten_08_no_limit_is_lifted_by_it(office, dead):
    office.resend(dead.user_id)
    with pytest.raises(TooSoon):
        redrive(office, dead.id)
    assert office.messages(dead.user_id)[0].state == MessageState.DEAD


def test_del_05_its_code_must_have_a_minute_of_life_left(office, dead, clock):
    clock.at = office.verification(dead.user_id).code_expires_at - 60_000 + 1
    with pytest.raises(CodeExpired):
        redrive(office, dead.id)
    clock.at -= 1
    redrive(office, dead.id)


def test_a_number_that_was_verified_meanwhile_gets_nothing(office, dead):
    office.confirm(dead.user_id)
    with pytest.raises(NothingToVerify):
        redrive(office, dead.id)


def test_a_country_that_was_closed_meanwhile_gets_nothing(office, dead):
    office.set(open_countries=frozenset({"DE"}))
    with pytest.raises(BadInput):
        redrive(office, dead.id)


def test_only_what_is_set_aside_is_redriven_and_only_once(office, dead):
    redrive(office, dead.id)
    with pytest.raises(Overtaken):
        redrive(office, dead.id)


def test_of_many_at_once_one_redrives_it(office, dead):
    refused = []

    def one() -> None:
        try:
            redrive(office, dead.id)
        except (Overtaken, TooSoon) as refusal:
            refused.append(refusal)

    racers = [threading.Thread(target=one) for _ in range(6)]
    for each in racers:
        each.start()
    for each in racers:
        each.join()
    assert len(refused) == 5
    assert office.verification(dead.user_id).sends == 1


def test_ten_02_another_apps_message_is_not_there(office, dead, session):
    theirs = factories.message(session, state="dead", reason="rendering_failed")
    with pytest.raises(NotFound):
        redrive(office, theirs.id)


@pytest.mark.parametrize("reason", ["", "no", f"call {DORA}"])
def test_a_reason_has_to_be_typed(office, dead, reason):
    with pytest.raises(BadInput):
        redrive(office, dead.id, reason)


def test_it_is_on_record_why_it_was_set_aside_and_why_it_was_tried_again(office, dead, session):
    redrive(office, dead.id)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.MESSAGE_REDRIVEN)).one()
    assert (entry.user_id, entry.reason) == (dead.user_id, WHY)
    assert entry.details == {"reason": Reason.PROVIDER_UNREACHABLE}


def test_a_user_who_was_disabled_meanwhile_gets_nothing(office, dead):
    office.do(lambda ctx: users.set_disabled(ctx, dead.user_id, True))
    with pytest.raises(UserDisabled):
        redrive(office, dead.id)
