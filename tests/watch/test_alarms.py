"""When does an operator hear of trouble, and when that it is over?"""

import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from portal.clock import SECOND
from portal.core.alarms import BACKLOG_PAGES_AT, BACKLOG_WARNS_AT, AlarmName, Level, of_backlog, of_wait
from portal.models import Alarm, WorkerBeat
from portal.services import alarm_news, alarms
from portal.services.alarms import Found
from portal.watch import telling, watchman
from portal.watch.pulse import Pulse
from portal.watch.rounds import Rounds
from portal.watch.watchman import CouldNotTell, Watchman
from portal.worker import Job, Worker
from tests import factories
from tests.delivery.odd_servers import OddServer, answers


@pytest.mark.parametrize(
    ("waited", "level"),
    [
        (None, None),
        (30 * SECOND, None),
        (30 * SECOND + 1, Level.WARN),
        (120 * SECOND, Level.WARN),
        (120 * SECOND + 1, Level.PAGE),
    ],
)
def test_ops_02_a_wait_of_thirty_seconds_warns_and_of_two_minutes_pages(waited, level):
    assert of_wait(waited) == level


def test_del_09_a_backlog_warns_at_half_of_where_it_pages():
    figures = (BACKLOG_WARNS_AT - 1, BACKLOG_WARNS_AT, BACKLOG_PAGES_AT)
    assert [of_backlog(figure) for figure in figures] == [None, Level.WARN, Level.PAGE]


@pytest.fixture
def standing(session):
    """`standing()` is every alarm that stands, as name, level and what it is about."""
    return lambda: [(each.name, each.level, each.about) for each in alarm_news.standing(session)]


class Told:
    """An operator who notes what is told, and can be out of reach."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.is_away = False

    def __call__(self, news, counts) -> None:
        if self.is_away:
            raise CouldNotTell("no connection")
        self.heard.append((news.name, news.level))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def look(app, told, clock):
    """`look()` is one look, five seconds after the one before."""
    guard = Watchman(app, told)

    def look() -> bool:
        clock.advance(5)
        return guard.look()

    return look


@pytest.fixture
def alive(session, clock):
    """A worker that goes on beating as the clock goes on."""
    factories.worker_beat(session, beat_at=clock.at + 10**9)


def test_ops_02_a_waiting_message_warns_then_pages_and_its_end_is_told(
    look, told, standing, session, clock, alive
):
    message = factories.message(session, due_at=clock.at)
    for _ in range(6):
        look()
    assert told.heard == []
    look()
    assert told.heard == [("worker_stalled", "warn")]
    while clock.at <= message.due_at + 120 * SECOND:
        look()
    look()
    assert told.heard == [("worker_stalled", "warn"), ("worker_stalled", "page")]
    assert standing() == [("worker_stalled", "page", "")]
    message.state = "sent"
    session.flush()
    look()
    assert told.heard[2:] == [("worker_stalled", "over")]
    assert session.scalars(select(Alarm)).all() == []


def test_ops_02_a_dead_worker_pages_with_an_empty_queue_too_and_a_new_one_clears_it(
    look, told, session, clock
):
    last = factories.worker_beat(session, beat_at=clock.at)
    look()
    look()
    assert told.heard == []
    look()
    assert told.heard == [("worker_dead", "page")]
    last.beat_at = clock.at
    session.flush()
    look()
    assert told.heard[1:] == [("worker_dead", "over")]


def test_del_08_a_message_that_was_set_aside_warns_about_its_app_for_an_hour(
    look, told, standing, session, clock, alive
):
    dead = factories.message(session, state="dead", ended_at=clock.at)
    factories.message(session, state="failed", ended_at=clock.at)
    look()
    assert standing() == [("messages_dead", "warn", dead.app_id)]
    assert told.heard == [("messages_dead", "warn")]
    clock.advance(3_600)
    look()
    assert told.heard[1:] == [("messages_dead", "over")]


def test_del_08_the_alarm_ends_when_the_message_is_tried_again(look, standing, session, clock, alive):
    dead = factories.message(session, state="dead", ended_at=clock.at)
    look()
    dead.state, dead.ended_at, dead.due_at = "queued", None, clock.at
    session.flush()
    look()
    assert standing() == []


def test_ops_02_a_carrier_that_is_paused_warns_about_itself(look, told, standing, session, clock, alive):
    carrier = factories.provider(session, failures_in_row=5, paused_until=clock.at + 15 * SECOND)
    factories.provider(session, app_id=carrier.app_id)
    factories.provider(session, is_on=False, failures_in_row=5, paused_until=clock.at + 15 * SECOND)
    factories.provider(session)
    look()
    assert standing() == [("provider_paused", "warn", carrier.id)]
    carrier.failures_in_row, carrier.paused_until = 0, None
    session.flush()
    look()
    assert standing() == []
    assert told.heard == [("provider_paused", "warn"), ("provider_paused", "over")]


def test_ops_02_an_apps_only_carrier_pages_and_what_waits_for_it_is_no_stall(
    look, standing, session, clock, alive
):
    carrier = factories.provider(session, failures_in_row=5, paused_until=clock.at)
    factories.message(session, app_id=carrier.app_id, due_at=clock.at - 200 * SECOND)
    look()
    assert standing() == [("provider_paused", "page", carrier.id)]
    # Nobody has tried it since: a worker would have, so this is a stall after all.
    for _ in range(4):
        look()
    assert ("worker_stalled", "page", "") in standing()


def test_a_carrier_that_asked_for_a_rest_warns_until_it_is_over(look, standing, session, clock, alive):
    carrier = factories.provider(session, failures_in_row=1, paused_until=clock.at + 10 * SECOND)
    factories.provider(session, app_id=carrier.app_id)
    look()
    assert standing() == [("provider_paused", "warn", carrier.id)]
    look()
    assert standing() == []


def test_ops_02_an_operator_out_of_reach_is_told_later_and_once(look, told, session, clock):
    told.is_away = True
    for _ in range(10):
        look()
    told.is_away = False
    while not told.heard:
        look()
        assert clock.at < session.scalar(select(Alarm.since)) + 30 * 60 * SECOND
    for _ in range(10):
        look()
    assert told.heard == [("worker_dead", "page")]


def test_an_alarm_that_came_and_went_untold_is_not_told_at_all(look, told, session, clock):
    told.is_away = True
    look()
    factories.worker_beat(session, beat_at=clock.at + 10**9)
    look()
    told.is_away = False
    for _ in range(80):
        look()
    assert told.heard == []


def test_one_of_many_processes_looks(app, clock, session):
    first, second = Watchman(app), Watchman(app)
    assert first.look()
    assert not second.look()
    clock.advance(5)
    assert second.look()
    assert session.scalars(select(Alarm.name)).all() == ["worker_dead"]


def test_dat_05_what_a_quarantine_keeps_back_is_no_stall(look, standing, session, clock, alive):
    factories.message(session, due_at=clock.at - 10**6)
    factories.quarantine(session)
    look()
    assert standing() == []


# --- Beats ---------------------------------------------------------------------------------------


def test_a_worker_beats_and_takes_its_row_away_when_it_ends(transaction, session, clock):
    pulse = Pulse(transaction)
    pulse.beat()
    clock.advance(5)
    pulse.beat()
    beat = session.scalars(select(WorkerBeat)).one()
    assert (beat.started_at, beat.beat_at) == (clock.at - 5 * SECOND, clock.at)
    pulse.stop()
    assert session.scalars(select(WorkerBeat)).all() == []


def test_ops_02_a_started_worker_is_alive_at_once(app, session, until_true):
    worker = Worker(app, timetable={})
    worker.start()
    until_true(lambda: session.scalars(select(WorkerBeat)).all())
    assert worker.stop()
    assert session.scalars(select(WorkerBeat)).all() == []


@pytest.fixture
def until_true():
    import time

    def wait(condition) -> None:
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    return wait


def test_an_exception_ends_a_round_and_not_the_rounds(until_true):
    done = []

    def fail() -> None:
        done.append(1)
        raise RuntimeError("code 123456")

    rounds = Rounds("test", 0.01, fail)
    rounds.start()
    until_true(lambda: len(done) > 2)
    rounds.stop()


# --- Jobs ----------------------------------------------------------------------------------------


def test_pii_04_a_job_that_fails_raises_an_alarm_and_lets_the_others_run(app, standing, clock):
    ran, is_broken = [], [True]

    def sweep(_ctx) -> int:
        if is_broken[0]:
            raise RuntimeError("code 123456 for +819012345678")
        return 0

    def dust(_ctx) -> int:
        ran.append("dust")
        return 0

    worker = Worker(app, timetable={"sweep": Job(60_000, sweep), "dust": Job(60_000, dust)})
    worker.run_due_jobs()
    assert ran == ["dust"]
    assert standing() == [("job_failed", "warn", "sweep")]
    is_broken[0] = False
    clock.advance(120)
    worker.run_due_jobs()
    assert standing() == []


# --- The webhook ---------------------------------------------------------------------------------


@pytest.fixture
def receiver():
    server = OddServer(answers())
    yield server
    server.close()


def tell(settings, receiver, **changes) -> None:
    address = f"http://127.0.0.1:{receiver.port}/hook?token=a"
    chosen = replace(settings, alarm_url=address, **changes)
    telling.teller(chosen)(alarm_news.News("worker_dead", "page", "", 1_795_000_000_000), {"queued": 3})


def test_ops_02_an_alarm_is_posted_with_a_signature_over_time_and_body(settings, receiver, clock):
    tell(settings, receiver, alarm_secret="0123456789abcdef")
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert lines[0] == "POST /hook?token=a HTTP/1.1"
    assert json.loads(body) == {
        "name": "worker_dead",
        "level": "page",
        "since": 1_795_000_000_000,
        "about": "",
        "installation": "",
        "counts": {"queued": 3},
    }
    timestamp = headers["x-ringback-timestamp"]
    assert int(timestamp) == clock.at // 1000
    expected = hmac.new(b"0123456789abcdef", f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-ringback-signature"] == f"sha256={expected}"


def test_without_a_secret_nothing_is_signed(settings, receiver):
    tell(settings, receiver)
    assert b"signature" not in receiver.requests[0].lower()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 500 No\r\n\r\n", b"HTTP/1.1 302 No\r\nLocation: /x\r\n\r\n"])
def test_an_operator_that_does_not_say_yes_was_not_told(settings, answer):
    receiver = OddServer(answers(answer))
    with pytest.raises(CouldNotTell):
        tell(settings, receiver)
    receiver.close()
    with pytest.raises(CouldNotTell):
        tell(settings, receiver)


def test_without_an_address_nobody_is_told(settings):
    assert telling.teller(settings) is None


def test_an_alarm_that_is_raised_twice_at_once_is_raised_once(transaction, session, clock):
    for _ in range(2):
        with transaction() as writing:
            alarms.put_up(writing, Found(AlarmName.BACKLOG, Level.WARN), clock.at)
    assert len(session.scalars(select(Alarm)).all()) == 1
    assert watchman.LOOK_EVERY == 5 * SECOND
