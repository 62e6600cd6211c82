"""How does a message leave, and what is noted about it?"""

import pytest

from portal.clock import MINUTE
from portal.core import wordings
from portal.core.reasons import Reason
from portal.delivery.carriers import Carriers
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable
from portal.models import MessagePurpose, MessageState, Provider, SmsTemplateVersion
from portal.services import outbox, users, verifications
from tests import factories

SECOND_NUMBER = "+819087654321"


def test_it_sends_the_wording_with_the_code_and_notes_how_it_went(office, clock):
    dora = office.sign_up()
    clock.advance(2)
    assert office.send() == 1
    [sms] = office.carrier.taken
    assert sms.to == "+819012345678"
    assert (
        sms.text
        == f"{office.code(dora)} is your Shop code. It is valid for 10 min. Never share it with anyone."
    )
    message = office.message(dora)
    assert (message.state, message.provider, message.provider_reference) == ("sent", "scripted", "ref-1")
    assert (message.attempts, message.issue, message.lease, message.reason) == (1, 1, None, None)
    assert (message.sent_at, message.ended_at) == (clock.at, None)


def test_it_sends_nothing_twice(office):
    office.sign_up()
    assert office.send() == 1
    assert office.send() == 0
    assert len(office.carrier.tried) == 1


def test_the_sandbox_inbox_has_every_message_at_once_and_shows_its_text(office, clock):
    office.use("inbox")
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    assert (message.state, message.sent_at, message.ended_at) == ("delivered", clock.at, clock.at)
    [shown] = office.do(lambda ctx: outbox.inbox(ctx))
    assert office.code(dora) in shown.text


def test_otp_09_no_stored_column_of_a_message_holds_its_code(office):
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    stored = " ".join(str(getattr(message, column.key)) for column in message.__table__.columns)
    assert office.code(dora) not in stored


def test_it_sends_the_code_that_is_right_now_not_the_one_of_when_it_was_put_down(office):
    dora = office.sign_up()
    office.do(lambda ctx: verifications.reset_code(ctx, dora))
    office.send()
    assert office.code(dora) in office.carrier.taken[0].text
    assert office.message(dora).issue == 2


def test_the_notice_of_a_change_goes_to_the_old_number_without_a_code(office, clock):
    dora = office.sign_up(locale="ja-JP")
    office.confirm(dora)
    office.send()
    clock.advance(120)
    office.change(dora, SECOND_NUMBER)
    office.send()
    [notice] = [sms for sms in office.carrier.taken if sms.to == "+819012345678"]
    assert notice.text == wordings.CHANGE_NOTICE["ja"].replace("{app_name}", "Shop")
    assert office.code(dora) not in notice.text


def test_del_05_an_expired_code_is_never_sent(office, clock):
    dora = office.sign_up()
    clock.advance(9 * 60 + 1)
    office.send()
    assert office.carrier.tried == []
    message = office.message(dora)
    assert (message.state, message.reason) == ("expired", Reason.EXPIRED_BEFORE_SENDING)
    assert message.ended_at == clock.at


def test_del_05_a_code_with_a_minute_left_is_still_sent(office, clock):
    office.sign_up()
    clock.advance(9 * 60)
    office.send()
    [sms] = office.carrier.taken
    assert sms.valid_until == clock.at + MINUTE


def test_del_05_a_backlog_expires_and_a_new_message_leaves_at_once(office, clock):
    for at, name in enumerate(("dora", "emil", "fay")):
        office.sign_up(name, f"+81901234567{at}")
    clock.advance(15 * 60)
    gina = office.sign_up("gina", "+819011112222")
    assert office.send() == 4
    assert [sms.to for sms in office.carrier.tried] == ["+819011112222"]
    assert office.message(gina).state == MessageState.SENT


def test_a_late_notice_of_a_change_only_puzzles_and_is_not_sent(office, clock):
    dora = office.sign_up()
    office.confirm(dora)
    office.send()
    clock.advance(120)
    office.change(dora, SECOND_NUMBER)
    clock.advance(9 * 60 + 1)
    office.send()
    assert office.carrier.tried == []
    assert {message.reason for message in office.messages(dora)[1:]} == {Reason.EXPIRED_BEFORE_SENDING}


def test_it_does_not_send_what_was_verified_first(office):
    dora = office.sign_up()
    office.confirm(dora)
    office.send()
    assert office.carrier.tried == []
    message = office.message(dora)
    assert (message.state, message.reason) == ("expired", Reason.NO_LONGER_NEEDED)


def test_it_does_not_send_the_code_of_a_number_that_was_replaced(office):
    dora = office.sign_up()
    office.change(dora, SECOND_NUMBER)
    office.send()
    assert [sms.to for sms in office.carrier.tried] == [SECOND_NUMBER]
    assert office.messages(dora)[0].reason == Reason.NO_LONGER_NEEDED


def test_abu_04_a_country_closed_while_messages_wait_gets_none_of_them(office):
    waiting = [office.sign_up(f"user{at}", f"+8190123456{at:02}") for at in range(10)]
    office.set(open_countries=frozenset({"DE"}))
    office.send()
    assert office.carrier.tried == []
    ends = {(office.message(user).state, office.message(user).reason) for user in waiting}
    assert ends == {("failed", Reason.COUNTRY_CLOSED)}


def test_an_app_without_a_provider_says_so(office):
    office.use("smoke-signals")
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    assert (message.state, message.reason) == ("failed", Reason.NO_PROVIDER)


def test_del_06_a_permanent_refusal_ends_a_message_at_once(office):
    office.carrier.script = [ProviderRefused("Unknown subscriber", permanent=True)]
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    assert (message.state, message.reason) == ("failed", Reason.PROVIDER_REFUSED)
    assert (message.attempts, message.provider_words) == (1, "Unknown subscriber")


@pytest.mark.parametrize("permanent", [True, False])
@pytest.mark.parametrize("starts_at", [0, 10])
def test_ten_05_what_a_provider_repeats_of_an_sms_is_not_kept(office, permanent, starts_at):
    refusal = ProviderRefused(permanent=permanent)
    office.carrier.script = [refusal]
    office.carrier.meanwhile = lambda: repeat(refusal, office.carrier.tried[0].text[starts_at:])
    dora = office.sign_up()
    office.send()
    assert office.message(dora).provider_words == "Not taken: «…», says the filter"


def repeat(refusal: ProviderRefused, text: str) -> None:
    refusal.words = f"Not taken: «{text}», says the filter"


@pytest.mark.parametrize(
    "failure", [ProviderUnreachable("reset by peer"), ProviderRefused("slow down"), KeyError("x")]
)
def test_del_06_a_passing_failure_is_tried_again_after_a_wait(office, clock, failure):
    office.carrier.script = [failure]
    dora = office.sign_up()
    assert office.send() == 1
    waiting = office.message(dora)
    assert (waiting.state, waiting.lease, waiting.due_at) == ("queued", None, clock.at + 3000)
    clock.advance(2.9)
    assert office.send() == 0
    clock.advance(0.1)
    assert office.send() == 1
    sent = office.message(dora)
    assert (sent.state, sent.attempts, sent.reason, sent.provider_words) == ("sent", 2, None, None)


def test_del_03_every_try_has_the_same_reference_and_the_same_code(office, clock):
    office.carrier.script = [ProviderUnreachable(), ProviderUnreachable()]
    dora = office.sign_up()
    for _ in range(3):
        office.send()
        clock.advance(30)
    assert len(office.carrier.tried) == 3
    assert {(sms.reference, sms.text) for sms in office.carrier.tried} == {
        (office.message(dora).id, office.carrier.taken[0].text)
    }


def test_del_08_the_fifth_failure_sets_a_message_aside(office, clock):
    office.carrier.script = [ProviderUnreachable("no route to host")] * 9
    dora = office.sign_up()
    for _ in range(8):
        office.send()
        clock.advance(81)
    assert len(office.carrier.tried) == 5
    message = office.message(dora)
    assert (message.state, message.attempts, message.reason) == ("dead", 5, Reason.PROVIDER_UNREACHABLE)


def test_del_05_it_stops_trying_before_the_code_has_a_minute_left(office, clock):
    office.set(code_life_s=60)
    office.carrier.script = [ProviderUnreachable()]
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    assert (message.state, message.reason, message.attempts) == ("failed", Reason.PROVIDER_UNREACHABLE, 1)


def test_del_08_a_wording_that_cannot_be_filled_is_dead_after_five_tries_and_blocks_nobody(office, clock):
    poisoned = office.sign_up("dora", "+819012345678")
    version = office.message(poisoned).sms_template_version_id
    body = office.session.get_one(SmsTemplateVersion, version).body
    office.session.get_one(SmsTemplateVersion, version).body = "No code in here"
    office.session.flush()
    for _ in range(8):
        office.send()
        clock.advance(81)
    message = office.message(poisoned)
    assert (message.state, message.attempts, message.reason) == ("dead", 5, Reason.RENDERING_FAILED)
    office.session.get_one(SmsTemplateVersion, version).body = body
    office.session.flush()
    emil = office.sign_up("emil", "+819012345679")
    office.send()
    assert office.message(emil).state == MessageState.SENT


def test_del_08_a_row_that_cannot_even_be_looked_at_is_dead_after_five_tries_and_blocks_nobody(office, clock):
    alice = factories.account(office.session)
    poisoned = office.sign_up("dora", "+819012345678")
    message = office.message(poisoned)
    # A code for an account's own number, which does not say whose it is.
    message.purpose, message.user_id, message.account_id = MessagePurpose.OWN_NUMBER, None, alice.id
    message.verification_id, message.sms_template_version_id, message.values = None, None, {}
    office.session.flush()
    clock.advance(1)
    emil = office.sign_up("emil", "+819012345679")
    office.send()
    assert office.message(emil).state == MessageState.SENT
    for _ in range(8):
        office.send()
        clock.advance(81)
    office.session.refresh(message)
    assert (message.state, message.attempts, message.reason) == ("dead", 5, Reason.RENDERING_FAILED)


def test_abu_04_a_number_that_no_plan_knows_any_more_is_sent_nothing(office):
    dora = office.sign_up()
    office.message(dora).phone_number = "+22997123456"
    office.session.flush()
    office.send()
    assert (office.message(dora).state, office.message(dora).reason) == ("failed", Reason.NOT_MOBILE)


def test_a_carrier_of_a_kind_that_only_a_newer_version_knows_is_none_and_stops_nobody(office):
    row = Provider(id="p", app_id=office.app_id, kind="pigeon", settings={}, modified_at=1)
    assert Carriers(office.keys, office.transaction, lambda: 0).open(row) is None


def test_a_poisoned_message_holds_up_no_neighbour_in_the_same_pass(office):
    office.carrier.script = [RuntimeError("boom")]
    dora = office.sign_up("dora", "+819012345678")
    emil = office.sign_up("emil", "+819012345679")
    assert office.send() == 2
    assert {office.message(user).state for user in (dora, emil)} == {"queued", "sent"}


@pytest.mark.parametrize("permanent", [True, False])
def test_a_phone_that_the_carrier_cannot_reach_is_told_apart_from_a_refused_message(office, permanent):
    office.carrier.script = [
        ProviderRefused("absent subscriber", permanent=permanent, reason=Reason.PHONE_UNREACHABLE)
    ]
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    assert (message.state, message.reason) == ("failed" if permanent else "queued", "phone_unreachable")


def test_a_user_who_was_suspended_is_texted_neither_from_the_queue_nor_by_a_retry(office, clock):
    office.carrier.script = [ProviderUnreachable("no route")]
    dora, emil = office.sign_up(), office.sign_up("emil", "+819012345679")
    office.send()
    for user_id in (dora, emil):
        office.do(lambda ctx, user_id=user_id: users.set_disabled(ctx, user_id, True))
    taken = len(office.carrier.taken)
    late = office.sign_up("late", "+819012345670")
    office.do(lambda ctx: users.set_disabled(ctx, late, True))
    clock.advance(3)
    office.send()
    assert len(office.carrier.taken) == taken
    assert (office.message(late).state, office.message(late).reason) == ("expired", Reason.NO_LONGER_NEEDED)
