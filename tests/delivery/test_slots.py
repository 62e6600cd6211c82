"""Does a send that never was count against anybody? (design 5)"""

import pytest

from portal.core.reasons import Reason
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable
from portal.errors import TooSoon
from portal.models import PhoneNumberLimit

DORA = "+819012345678"


def refuse() -> ProviderRefused:
    return ProviderRefused("no such subscriber", permanent=True)


def test_after_a_send_the_user_waits_a_minute(office):
    dora = office.sign_up()
    office.send()
    with pytest.raises(TooSoon):
        office.resend(dora)


def test_after_a_failed_hand_over_the_user_asks_again_at_once(office):
    office.carrier.script = [refuse()]
    dora = office.sign_up()
    office.send()
    assert (office.verification(dora).sends, office.verification(dora).last_sent_at) == (0, None)
    assert office.sent_times() == ""
    office.resend(dora)
    office.send()
    assert office.message(dora).state == "sent"
    assert office.verification(dora).sends == 1


def test_a_failed_resend_gives_back_its_own_slot_and_keeps_the_one_before(office, clock):
    dora = office.sign_up()
    office.send()
    first = clock.at
    clock.advance(61)
    office.carrier.script = [refuse()]
    office.resend(dora)
    office.send()
    assert (office.verification(dora).sends, office.verification(dora).last_sent_at) == (1, first)
    assert office.sent_times() == str(first)
    office.resend(dora)


def test_a_failure_that_comes_after_a_later_resend_leaves_that_one_counted(office, clock):
    office.carrier.script = [ProviderUnreachable()]
    dora = office.sign_up()
    office.send()
    clock.advance(61)
    office.resend(dora)
    later = clock.at
    office.carrier.script = [refuse()]
    office.send()
    failed, sent = office.messages(dora)
    assert (failed.state, sent.state) == ("failed", "sent")
    assert (office.verification(dora).sends, office.verification(dora).last_sent_at) == (1, later)
    assert office.sent_times() == str(later)


def test_while_a_message_will_be_tried_again_its_slot_stays_taken(office):
    office.carrier.script = [ProviderUnreachable()]
    dora = office.sign_up()
    office.send()
    assert office.verification(dora).sends == 1
    with pytest.raises(TooSoon) as refused:
        office.resend(dora)
    assert refused.value.reason == Reason.RESEND_WAIT


def test_failed_hand_overs_do_not_use_up_the_number_of_the_hour(office, clock):
    dora = office.sign_up()
    for _ in range(12):
        office.carrier.script = [refuse()]
        office.send()
        clock.advance(1)
        office.resend(dora)
    office.send()
    assert office.message(dora).state == "sent"


def test_an_expired_message_frees_the_number_too(office, clock):
    office.sign_up()
    clock.advance(15 * 60)
    office.send()
    assert office.sent_times() == ""


def test_failed_guesses_of_the_number_stay_counted(office, clock):
    office.carrier.script = [refuse()]
    dora = office.sign_up()
    limit = office.session.get_one(PhoneNumberLimit, office.limit_key(DORA))
    limit.failed_guess_times = "1,2,3"
    office.session.flush()
    office.send()
    assert office.verification(dora).sends == 0
    assert office.session.get_one(PhoneNumberLimit, office.limit_key(DORA)).failed_guess_times == "1,2,3"
