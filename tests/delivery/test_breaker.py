"""When is a carrier left alone, and when is it tried again?"""

from collections import Counter

import pytest
from sqlalchemy import select

from portal.clock import SECOND
from portal.core.reasons import Reason
from portal.delivery import breaker
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable
from portal.models import Message


@pytest.fixture
def crowd(office):
    """`crowd(7)` lets seven people sign up."""
    names = iter(range(1000))

    def sign_up(count: int) -> list[str]:
        return [
            office.sign_up(f"user{at}", f"+81901234{at:04}")
            for at, _ in zip(names, range(count), strict=False)
        ]

    return sign_up


def test_del_06_five_failures_in_a_row_pause_a_carrier_and_nothing_is_tried_meanwhile(
    office, network, crowd, clock
):
    only = network.add("Only")
    only.fails_always = ProviderUnreachable()
    crowd(8)
    office.send()
    assert len(only.tried) == 5
    row = network.row("Only")
    assert (row.failures_in_row, row.paused_until) == (5, clock.at + 4 * SECOND)
    assert (row.last_failure_at, row.last_failure_reason) == (clock.at, Reason.PROVIDER_UNREACHABLE)
    clock.advance(3.999)
    assert office.send() == 0


def test_del_06_a_paused_carrier_is_tried_with_one_message_every_four_seconds(office, network, crowd, clock):
    only = network.add("Only")
    only.fails_always = ProviderUnreachable()
    crowd(8)
    office.send()
    for count in (6, 7, 8):
        clock.advance(4)
        office.send()
        assert len(only.tried) == count


def test_del_06_a_success_closes_it_and_all_that_waits_leaves_at_once(office, network, crowd, clock):
    only = network.add("Only")
    only.fails_always = ProviderUnreachable()
    crowd(20)
    office.send()
    only.fails_always = None
    clock.advance(4)
    office.send()
    row = network.row("Only")
    assert (row.failures_in_row, row.paused_until, row.last_success_at) == (0, None, clock.at)
    assert len(only.taken) == 20


def test_waiting_for_a_carrier_is_no_attempt(office, network, crowd, clock):
    only = network.add("Only")
    only.fails_always = ProviderUnreachable()
    users = crowd(8)
    office.send()
    for _ in range(3):
        clock.advance(1)
        office.send()
    assert sorted(office.message(user).attempts for user in users) == [0] * 3 + [1] * 5


def test_del_06_a_refusal_for_good_or_a_phone_that_is_off_is_no_failure_of_the_carrier(
    office, network, crowd, clock
):
    only = network.add("Only")
    only.script = [ProviderUnreachable()] * 4 + [ProviderRefused(permanent=True)]
    crowd(5)
    office.send()
    assert network.row("Only").failures_in_row == 0
    only.script = [ProviderRefused(reason=Reason.PHONE_UNREACHABLE)] * 6
    crowd(6)
    office.send()
    assert network.row("Only").failures_in_row == 0


def test_del_06_a_carrier_that_asks_for_a_rest_gets_it(office, network, crowd, clock):
    only = network.add("Only")
    only.script = [ProviderRefused("slow down", retry_after=40 * SECOND)]
    [dora] = crowd(1)
    office.send()
    assert office.message(dora).due_at == clock.at + 40 * SECOND
    crowd(1)
    clock.advance(39.999)
    assert office.send() == 0
    clock.advance(0.001)
    assert office.send() == 2
    assert network.row("Only").paused_until is None


def test_no_carrier_silences_an_app_for_ever(office, network, crowd, clock):
    only = network.add("Only")
    only.script = [ProviderRefused("away", retry_after=10**9)]
    crowd(1)
    office.send()
    assert network.row("Only").paused_until == clock.at + breaker.LONGEST_REST


def test_del_07_while_the_first_is_paused_the_second_carries_and_then_traffic_returns(
    office, network, crowd, clock
):
    first, second = network.add("First"), network.add("Second")
    first.fails_always = ProviderUnreachable()
    users = crowd(20)
    office.send()
    assert (len(first.tried), len(second.taken)) == (5, 20)
    assert {office.message(user).state for user in users} == {"sent"}
    first.fails_always = None
    clock.advance(4)
    crowd(3)
    office.send()
    assert len(first.taken) == 3


def test_one_worker_at_a_time_tries_a_paused_carrier(office, network, transaction, clock):
    network.add("Only")
    row = network.row("Only")
    row.failures_in_row, row.paused_until = 5, clock.at
    office.session.flush()
    with transaction() as session:
        assert breaker.begin_probe(session, row.id, clock.at, clock.at)
    with transaction() as session:
        assert not breaker.begin_probe(session, row.id, clock.at, clock.at)


def test_failures_that_come_late_do_not_put_the_next_try_off(office, network, transaction, clock):
    network.add("Only")
    provider_id = network.row("Only").id
    for _ in range(5):
        with transaction() as session:
            breaker.note_failure(session, provider_id, Reason.PROVIDER_UNREACHABLE, clock.at)
    probe_at = clock.at + breaker.PROBE_EVERY
    clock.advance(3)
    with transaction() as session:
        breaker.note_failure(session, provider_id, Reason.PROVIDER_UNREACHABLE, clock.at)
    assert network.row("Only").paused_until == probe_at


def test_a_carrier_that_is_well_is_written_to_once_in_ten_seconds(office, network, crowd, clock):
    network.add("Only")
    start = clock.at
    for _ in range(4):
        crowd(1)
        office.send()
        clock.advance(3)
    assert network.row("Only").last_success_at == start
    clock.advance(3)
    crowd(1)
    office.send()
    assert network.row("Only").last_success_at == start + 15 * SECOND


def test_del_05_a_carrier_that_refuses_for_fifteen_minutes_is_sent_no_dead_code_and_recovers(
    office, network, clock
):
    only, lives_left = network.add("Only"), []
    only.fails_always = ProviderUnreachable()
    only.meanwhile = lambda: lives_left.append(only.tried[-1].valid_until - clock.at)
    for at in range(900):
        if at % 10 == 0:
            office.sign_up(f"user{at}", f"+81901234{at:04}")
        office.send()
        clock.advance(1)
    # A try every four seconds, and not one more for each of the ninety people.
    assert len(only.tried) <= 5 + 900 / 4 + 1
    only.fails_always = None
    eve, start = office.sign_up("eve", "+819087654321"), clock.at
    while not only.taken:
        clock.advance(1)
        office.send()
    assert office.message(eve).sent_at <= start + 5 * SECOND
    assert min(lives_left) >= 60 * SECOND
    clock.advance(90)
    office.send()
    ends = Counter(office.session.scalars(select(Message.state)))
    assert set(ends) <= {"sent", "expired", "failed", "dead"}
    assert ends["expired"] > 10
