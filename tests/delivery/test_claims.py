"""Who may send a message, for how long, and what if that worker dies?"""

import re
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from portal.clock import SECOND
from portal.core.reasons import Reason
from portal.delivery import claims, dispatch
from portal.delivery.turns import Turns
from portal.models import MessageState


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs."""


def die() -> None:
    raise Killed


def test_the_message_that_waited_longest_is_next(office, clock):
    for name, number in (("dora", "+819012345670"), ("emil", "+819012345671"), ("fay", "+819012345672")):
        office.sign_up(name, number)
        clock.advance(1)
    office.send()
    assert [sms.to[-1] for sms in office.carrier.taken] == ["0", "1", "2"]


def test_a_claim_takes_a_message_from_everybody_else(office):
    dora = office.sign_up()
    with office.transaction() as session:
        claim = claims.take(session, office.app_id, office.post.now(), lease=60_000)
    assert office.send() == 0
    message = office.message(dora)
    assert (message.state, message.lease, message.attempts) == ("sending", claim.lease, 1)
    assert message.due_at == office.post.now() + 60_000


def test_del_04_a_message_of_a_dead_worker_is_taken_over_when_its_lease_has_lapsed(office, clock):
    dora = office.sign_up()
    office.carrier.meanwhile = die
    with pytest.raises(Killed):
        office.send()
    office.carrier.meanwhile = lambda: None
    clock.advance(dispatch.LEASE / SECOND - 0.001)
    assert office.send() == 0
    clock.advance(0.001)
    assert office.send() == 1
    assert office.message(dora).state == MessageState.SENT
    first, second = office.carrier.tried
    assert (first.reference, first.text) == (second.reference, second.text)


def test_del_04_a_worker_that_lost_its_lease_does_not_overwrite_what_the_other_noted(office, clock):
    dora = office.sign_up()
    elsewhere = replace(office.carrier, name="scripted", tried=[], taken=[])
    other = replace(office.post, providers={"scripted": elsewhere})

    def be_frozen() -> None:
        clock.advance(61)
        office.send(other)

    office.carrier.meanwhile = be_frozen
    office.send()
    assert office.message(dora).sent_at == clock.at
    assert (office.message(dora).state, office.message(dora).attempts) == ("sent", 2)
    assert len(elsewhere.taken) == 1
    assert len(office.carrier.taken) == 1


def test_a_lost_lease_frees_no_slot(office, clock):
    dora = office.sign_up()
    elsewhere = replace(office.carrier, tried=[], taken=[])

    def be_frozen() -> None:
        clock.advance(61)
        office.send(replace(office.post, providers={"scripted": elsewhere}))
        raise dispatch.ProviderRefused("too late", permanent=True)

    office.carrier.meanwhile = be_frozen
    office.send()
    assert office.message(dora).state == MessageState.SENT
    assert office.verification(dora).sends == 1
    assert office.sent_times() != ""


def test_del_08_a_message_that_kills_its_worker_five_times_is_set_aside(office, clock):
    dora = office.sign_up()
    office.carrier.meanwhile = die
    for _ in range(5):
        with pytest.raises(Killed):
            office.send()
        clock.advance(60)
    assert office.send() == 1
    assert len(office.carrier.tried) == 5
    message = office.message(dora)
    assert (message.state, message.attempts, message.reason) == ("dead", 5, Reason.SENDING_BROKE_OFF)
    # It may have left, so its user has to wait as after any send.
    assert office.verification(dora).sends == 1


def test_del_03_a_message_whose_worker_dies_in_each_hand_over_is_sent_twice_at_most(office, network, clock):
    carrier = network.add("Only")
    dora = office.sign_up()
    carrier.meanwhile = die
    for _ in range(2):
        with pytest.raises(Killed):
            office.send()
        clock.advance(60)
    assert office.send() == 1
    first, second = carrier.tried
    assert (first.reference, first.text) == (second.reference, second.text)
    message = office.message(dora)
    assert (message.state, message.attempts, message.reason) == ("dead", 3, Reason.SENDING_BROKE_OFF)
    assert message.unsure_attempts == 2
    # It may have left, so its user has to wait as after any send.
    assert office.verification(dora).sends == 1


def test_del_03_a_worker_that_dies_before_the_hand_over_costs_no_try_that_may_have_left(
    office, network, clock, monkeypatch
):
    network.add("Only")
    dora = office.sign_up()
    with monkeypatch.context() as dying:
        dying.setattr(dispatch.texts, "render", lambda *_: die())
        for _ in range(3):
            with pytest.raises(Killed):
                office.send()
            clock.advance(60)
    office.send()
    message = office.message(dora)
    assert (message.state, message.attempts, message.unsure_attempts) == ("sent", 4, 0)
    assert message.handed_over_at is None


def test_del_04_a_message_that_was_taken_over_before_its_hand_over_is_not_sent_twice(office, network, clock):
    carrier = network.add("Only")
    dora = office.sign_up()
    taken = dispatch.take_next(office.post, Turns(), lambda _app_id: True)
    clock.advance(60)
    office.send()
    # The first worker wakes up with a clock that stood still as well.
    dispatch.send(replace(office.post, now=lambda: taken.claim.due_at - dispatch.LEASE), taken)
    assert len(carrier.tried) == 1
    assert office.message(dora).state == MessageState.SENT


def test_del_04_a_worker_that_waits_too_long_to_note_its_hand_over_does_not_begin_it(office, network, clock):
    carrier = network.add("Only")
    dora = office.sign_up()
    taken = dispatch.take_next(office.post, Turns(), lambda _app_id: True)

    @contextmanager
    def slow():
        with office.transaction() as session:
            clock.advance(61)
            yield session

    dispatch.send(replace(office.post, transaction=slow), taken)
    assert carrier.tried == []
    assert office.message(dora).handed_over_at is None
    office.send()
    assert office.message(dora).unsure_attempts == 0
    assert len(carrier.tried) == 1


def test_dat_03_a_database_that_is_gone_for_half_a_minute_causes_no_second_send(office, monkeypatch, clock):
    dora = office.sign_up()
    real, gone_until = dispatch.outcomes.note, clock.at + 30 * SECOND
    monkeypatch.setattr(dispatch.time, "sleep", clock.advance)

    def note(*arguments) -> None:
        if clock.at < gone_until:
            raise OperationalError("UPDATE", {}, Exception("the server is gone"))
        real(*arguments)

    monkeypatch.setattr(dispatch.outcomes, "note", note)
    assert office.send() == 1
    assert office.message(dora).state == MessageState.SENT
    assert len(office.carrier.tried) == 1


def test_a_database_that_is_busy_for_a_moment_causes_no_second_send(office, monkeypatch):
    dora = office.sign_up()
    real, failures = dispatch.outcomes.note, [OperationalError("UPDATE", {}, Exception("locked"))] * 2
    monkeypatch.setattr(dispatch.time, "sleep", lambda _: None)

    def note(*arguments) -> None:
        if failures:
            raise failures.pop()
        real(*arguments)

    monkeypatch.setattr(dispatch.outcomes, "note", note)
    assert office.send() == 1
    assert office.message(dora).state == MessageState.SENT
    assert len(office.carrier.tried) == 1


def test_looking_for_due_messages_reads_an_index_and_not_the_whole_outbox(office, database):
    office.sign_up()
    statements = []

    def note(_connection, _cursor, statement, parameters, *_rest) -> None:
        statements.append((statement, parameters))

    engine = office.session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    if database == "postgresql":
        office.session.execute(text("SET enable_seqscan = off"))
    assert claims.is_due(office.session, office.post.now())
    explain = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
    plan = office.session.connection().exec_driver_sql(f"{explain} {statements[-1][0]}", statements[-1][1])
    # Each of the two holds nothing but what is under way.
    assert re.search("ix_message_(due|turn)", str(plan.all()))
