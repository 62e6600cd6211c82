"""Real worker processes on one outbox: who sends what, and what remains when one is killed?"""

import signal
from collections import Counter

from sqlalchemy import select

from portal.models import Message


def test_del_04_four_workers_send_three_hundred_messages_exactly_once_each(yard, outbox, under_way, until):
    ids = outbox(300)
    workers = [yard.start() for _ in range(4)]
    until(lambda: under_way() == 0, seconds=120)
    assert [worker.stop() for worker in workers] == [0, 0, 0, 0]
    assert Counter(sms["reference"] for sms in yard.sent()) == dict.fromkeys(ids, 1)


def test_del_02_a_killed_workers_message_is_taken_over_and_sent_once_more_with_the_same_code(
    yard, outbox, under_way, until, session
):
    outbox(1)
    victim = yard.start(delay=60, lease=2_000)
    until(yard.sent)
    victim.stop(signal.SIGKILL)
    yard.start(lease=2_000)
    until(lambda: under_way() == 0)
    first, second = yard.sent()
    assert first["pid"] != second["pid"]
    assert (first["reference"], first["text"]) == (second["reference"], second["text"])
    assert session.scalars(select(Message)).one().attempts == 2


def test_del_08_a_message_that_kills_its_worker_is_dead_after_five_tries_and_a_thousand_others_leave(
    yard, outbox, under_way, until, session
):
    ids = outbox(1_001)
    poison = ids[300]
    workers = [yard.start(lease=1_500, poison=poison)]

    def is_over() -> bool:
        if workers[-1].process.poll() is not None:
            workers.append(yard.start(lease=1_500, poison=poison))
        return under_way() == 0

    until(is_over, seconds=150)
    assert [each.process.wait() for each in workers[:-1]] == [9] * 5
    sends = Counter(sms["reference"] for sms in yard.sent())
    states = {message.id: message.state for message in session.scalars(select(Message))}
    assert states.pop(poison) == "dead"
    assert set(states.values()) == {"sent"}
    # Whoever was under way beside it goes out again, and never more often.
    assert sends[poison] == 5
    assert all(sends[each] <= 5 for each in states)
    assert sum(sends[each] > 1 for each in states) < 100


def test_del_04_a_worker_that_was_frozen_in_mid_send_does_not_overwrite_the_end(
    yard, outbox, under_way, until, session
):
    outbox(1)
    frozen = yard.start(delay=1, lease=1_500)
    until(yard.sent)
    frozen.process.send_signal(signal.SIGSTOP)
    other = yard.start(lease=1_500)
    until(lambda: under_way() == 0)
    frozen.process.send_signal(signal.SIGCONT)
    until(lambda: "lease_lost" in yard.log())
    message = session.scalars(select(Message)).one()
    assert (message.state, message.provider_reference) == ("sent", f"of-{other.process.pid}")
    assert len(yard.sent()) == 2


def test_ops_03_a_worker_that_is_told_to_end_finishes_its_sends_and_claims_no_more(
    yard, outbox, until, session
):
    outbox(50)
    worker = yard.start(delay=1)
    until(yard.sent)
    assert worker.stop(within=10) == 0
    started = {sms["reference"] for sms in yard.sent()}
    states = {message.id: (message.state, message.lease) for message in session.scalars(select(Message))}
    assert len(started) <= 16
    for message_id, end in states.items():
        assert end == ("sent" if message_id in started else "queued", None)


def test_ops_03_an_idle_worker_ends_at_once_on_ctrl_c(yard, until):
    worker = yard.start()
    until(lambda: "worker is running" in yard.log())
    assert worker.stop(signal.SIGINT, within=5) == 0


def test_pii_02_workers_print_no_code_and_no_number(yard, outbox, under_way, until):
    outbox(5)
    worker = yard.start()
    until(lambda: under_way() == 0)
    worker.stop()
    printed = yard.log()
    assert "message_noted" in printed
    for sms in yard.sent():
        assert sms["to"][3:] not in printed
        assert sms["text"] not in printed
        assert sms["text"][:6] not in printed
