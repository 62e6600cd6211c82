"""By which carrier does a message leave?"""

import threading
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from portal.core.reasons import Reason
from portal.delivery import breaker, carriers
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable
from portal.models import Account, App, MessageState, Provider
from portal.services import test_sends
from tests.delivery.conftest import Scripted


def sign_up(office, at: int) -> str:
    return office.sign_up(f"user{at}", f"+8190123456{at:02}")


def test_a_live_apps_message_goes_to_its_first_carrier(office, network):
    first, second = network.add("First"), network.add("Second")
    dora = office.sign_up()
    office.send()
    assert (len(first.taken), len(second.taken)) == (1, 0)
    message = office.message(dora)
    assert (message.state, message.provider, message.provider_id) == ("sent", "http", network.row("First").id)


def test_a_carrier_that_is_off_is_passed_over(office, network):
    first, second = network.add("First"), network.add("Second")
    network.switch("First", on=False)
    office.sign_up()
    office.send()
    assert (len(first.tried), len(second.taken)) == (0, 1)


def test_the_order_is_the_owners(office, network):
    first, second = network.add("First"), network.add("Second")
    with office.transaction() as session:
        session.execute(update(Provider).where(Provider.label == "First").values(position=9))
    office.sign_up()
    office.send()
    assert (len(first.tried), len(second.taken)) == (0, 1)


def test_a_carrier_without_its_credentials_is_passed_over(office, network):
    bare = network.add("Bare", needs="token")
    second = network.add("Second")
    office.sign_up()
    office.send()
    assert (len(bare.tried), len(second.taken)) == (0, 1)


def test_ops_05_a_carrier_gets_its_credentials_unsealed(office, network):
    first = network.add("First", secrets={"token": "s3cret"}, needs="token")
    office.sign_up()
    office.send()
    assert first.secrets == {"token": "s3cret"}
    assert b"s3cret" not in network.row("First").sealed


def test_ops_05_credentials_that_were_moved_to_another_row_do_not_open(office, network):
    network.add("First", secrets={"token": "s3cret"}, needs="token")
    thief = network.add("Thief", secrets={"token": "mine"}, needs="token")
    network.switch("First", on=False)
    with office.transaction() as session:
        stolen = select(Provider.sealed).where(Provider.label == "First").scalar_subquery()
        session.execute(update(Provider).where(Provider.label == "Thief").values(sealed=stolen))
    dora = office.sign_up()
    office.send()
    assert thief.tried == []
    assert office.message(dora).reason == Reason.NO_PROVIDER


def test_a_live_app_without_a_carrier_says_so(office, network):
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    assert (message.state, message.reason) == ("failed", Reason.NO_PROVIDER)


def test_a_live_apps_codes_are_shown_in_no_inbox(office, network):
    office.use("inbox")
    first = network.add("First")
    office.sign_up()
    office.send()
    assert len(first.taken) == 1


def test_a_sandbox_keeps_its_inbox_whatever_carriers_it_has(office, network):
    first = network.add("First")
    with office.transaction() as session:
        session.execute(update(App).values(mode="sandbox", provider="inbox"))
    dora = office.sign_up()
    office.send()
    assert first.tried == []
    assert office.message(dora).state == MessageState.DELIVERED


def test_the_console_stays_where_it_is_there(office, network):
    console, first = Scripted("console"), network.add("First")
    office.use("console")
    office.sign_up()
    office.send(replace(office.post, providers={"console": console}))
    assert (len(console.taken), len(first.tried)) == (1, 0)


def test_a_carrier_is_opened_once_and_again_when_it_was_changed(office, network):
    network.add("First")
    for at in range(3):
        sign_up(office, at)
        office.send()
    assert network.opened == ["First"]
    network.switch("First", on=False)
    network.switch("First", on=True)
    sign_up(office, 3)
    office.send()
    assert network.opened == ["First", "First"]


def test_carriers_are_closed_when_nothing_is_sent_any_more(office, network):
    first = network.add("First")
    office.sign_up()
    office.send()
    assert not first.is_closed
    network.carriers.close()
    assert first.is_closed


def test_del_09_a_carrier_that_ends_slowly_holds_up_nobody(office, network, monkeypatch):
    first = network.add("First")
    is_over = threading.Event()
    first.close = is_over.wait
    office.sign_up()
    office.send()
    network.switch("First", on=False)
    network.switch("First", on=True)
    for setting in ("_SWEEP_EVERY", "_MAY_STILL_SEND"):
        monkeypatch.setattr(carriers, setting, 0.0)
    sending = threading.Thread(target=lambda: [network.carriers.open(row) for _ in range(3)], daemon=True)
    row = network.row("First")
    sending.start()
    sending.join(2)
    assert not sending.is_alive()
    is_over.set()


def test_del_07_a_second_carrier_takes_over_at_once_with_the_same_code_and_reference(office, network, clock):
    first, second = network.add("First"), network.add("Second")
    first.script = [ProviderUnreachable()]
    dora = office.sign_up()
    office.send()
    assert (len(first.tried), len(second.taken)) == (1, 1)
    assert (first.tried[0].text, first.tried[0].reference) == (
        second.taken[0].text,
        second.taken[0].reference,
    )
    message = office.message(dora)
    assert (message.state, message.attempts, message.provider_id) == ("sent", 2, network.row("Second").id)
    assert message.sent_at == clock.at


def test_del_07_a_refusal_for_good_is_not_taken_to_another_carrier(office, network):
    first, second = network.add("First"), network.add("Second")
    first.script = [ProviderRefused("no such number", permanent=True)]
    dora = office.sign_up()
    office.send()
    assert second.tried == []
    assert office.message(dora).state == MessageState.FAILED


def test_del_07_when_both_fail_both_get_a_rest_and_the_message_goes_round(office, network, clock):
    first, second = network.add("First"), network.add("Second")
    first.fails_always = second.fails_always = ProviderUnreachable()
    dora = office.sign_up()
    office.send()
    assert (len(first.tried), len(second.tried)) == (1, 1)
    assert office.message(dora).due_at == clock.at + 9_000
    for _ in range(3):
        clock.advance(81)
        office.send()
    message = office.message(dora)
    assert (message.state, message.attempts) == ("dead", 5)
    assert len(first.tried) + len(second.tried) == 5


def test_del_07_an_sms_that_may_have_left_is_sent_once_more_and_no_third_time(office, network, clock):
    first, second = network.add("First"), network.add("Second")
    first.fails_always = second.fails_always = ProviderUnreachable("timed out", may_have_left=True)
    dora = office.sign_up()
    for _ in range(6):
        office.send()
        clock.advance(30)
    assert len(first.tried) + len(second.tried) == 2
    message = office.message(dora)
    assert (message.state, message.reason) == ("sent", Reason.SENT_NOT_CONFIRMED)
    assert message.unsure_attempts == 2
    assert office.verification(dora).sends == 1


def test_del_07_alone_a_carrier_gets_an_sms_that_may_have_left_once_more_too(office, network, clock):
    only = network.add("Only")
    only.script = [ProviderUnreachable(may_have_left=True)]
    dora = office.sign_up()
    office.send()
    assert len(only.tried) == 1
    clock.advance(3)
    office.send()
    message = office.message(dora)
    assert (message.state, message.attempts, message.unsure_attempts) == ("sent", 2, 1)


def test_an_sms_that_may_have_left_frees_no_slot_however_it_ends(office, network, clock):
    only = network.add("Only")
    only.script = [
        ProviderUnreachable(may_have_left=True),
        ProviderRefused("no", permanent=True),
    ]
    dora = office.sign_up()
    office.send()
    clock.advance(3)
    office.send()
    assert office.message(dora).state == MessageState.FAILED
    assert office.verification(dora).sends == 1
    assert office.sent_times() != ""


def test_del_07_a_carrier_whose_account_is_refused_is_passed_over_and_paused(office, network, clock):
    first, second = network.add("First"), network.add("Second")
    first.fails_always = ProviderRefused("no credit", permanent=True, is_about_account=True)
    users = [sign_up(office, at) for at in range(7)]
    office.send()
    assert {office.message(user).state for user in users} == {"sent"}
    # It would refuse them all, so one was enough to know.
    assert (len(first.tried), len(second.taken)) == (1, 7)
    assert network.row("First").paused_until == clock.at + breaker.PROBE_EVERY


def test_del_07_a_message_waits_for_the_paused_carrier_when_the_others_refuse_the_account(
    office, network, clock
):
    first, second = network.add("First"), network.add("Second")
    first.fails_always = ProviderRefused("HTTP 500")
    second.fails_always = ProviderRefused("HTTP 401", permanent=True, is_about_account=True)
    users = [sign_up(office, at) for at in range(7)]
    office.send()
    assert {office.message(user).state for user in users} == {"queued"}
    first.fails_always = None
    for _ in range(4):
        clock.advance(5)
        office.send()
    assert {office.message(user).state for user in users} == {"sent"}


def test_alone_a_carrier_whose_account_is_refused_fails_its_messages_at_once(office, network):
    only = network.add("Only")
    only.fails_always = ProviderRefused("no credit", permanent=True, is_about_account=True)
    dora = office.sign_up()
    office.send()
    message = office.message(dora)
    assert (message.state, message.attempts, message.reason) == ("failed", 1, Reason.PROVIDER_ACCOUNT_REFUSED)


@pytest.fixture
def try_by(office, network, alice):
    """`try_by(label)` sends Alice a test, as the page of that carrier does."""

    def send(label: str) -> None:
        provider_id = network.row(label).id
        with office.transaction() as session:
            session.get_one(Account, alice.id).phone_number = "+819012345678"
        office.do(
            lambda ctx: test_sends.send(
                ctx, ctx.session.get_one(App, office.app_id), alice.id, "en", provider_id
            )
        )
        office.send()

    return send


@pytest.mark.parametrize("trouble", [{}, {"is_on": False}, {"paused_until": 2**50, "failures_in_row": 5}])
def test_a_test_goes_by_the_carrier_that_it_names_also_when_nothing_else_would(
    office, network, try_by, trouble
):
    first, second = network.add("First"), network.add("Second")
    if trouble:
        with office.transaction() as session:
            session.execute(update(Provider).where(Provider.label == "Second").values(trouble))
    try_by("Second")
    assert (len(first.tried), len(second.taken)) == (0, 1)


def test_a_test_that_its_carrier_refuses_is_taken_over_by_no_other(network, try_by):
    first, second = network.add("First"), network.add("Second")
    first.fails_always = ProviderUnreachable("no answer")
    try_by("First")
    assert (len(first.tried), len(second.tried)) == (1, 0)
