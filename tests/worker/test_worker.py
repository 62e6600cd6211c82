"""When does a worker work, and what cannot stop it?"""

import io
import threading
import time

import pytest
from sqlalchemy import select

from portal import database, logs, worker
from portal.delivery import dispatch
from portal.delivery.providers.base import Accepted
from portal.models import Message
from portal.own_work import of_all_apps
from portal.worker import Job, Worker
from tests.worker.conftest import put_down


class Counting:
    """A provider that counts, and can be told to fail or to wait."""

    name = "inbox"

    def __init__(self) -> None:
        self.references, self.gate = [], threading.Event()
        self.gate.set()

    def send(self, sms) -> Accepted:
        self.references.append(sms.reference)
        self.gate.wait(30)
        return Accepted()


@pytest.fixture
def provider() -> Counting:
    return Counting()


@pytest.fixture
def running(app, provider, shop):
    """A worker that would sleep for a minute if nobody rang."""
    worker = Worker(app, providers={"inbox": provider}, pause=60, timetable={})
    worker.start()
    database.on_bell(worker.ring)
    yield worker
    provider.gate.set()
    worker.stop()
    database.on_bell(lambda: None)


def test_the_bell_of_a_commit_wakes_the_worker(app, running, provider, shop, context_for, until):
    from portal.services import users
    from portal.services.context import Caller
    from portal.services.users import Registration

    time.sleep(0.2)
    with of_all_apps(app), database.transaction() as session:
        ctx = context_for(session, Caller(worker.ActorKind.APP, shop.id))
        users.register(ctx, Registration(login_name="dora", phone_number="+819012345678"), "hash")
    until(lambda: provider.references, seconds=5)


def test_a_lost_bell_is_made_good_within_a_second(app, provider, shop, transaction, until):
    worker = Worker(app, providers={"inbox": provider}, timetable={})
    worker.start()
    time.sleep(0.2)
    with transaction() as session:
        [expected] = put_down(session, shop.id, 1)
    until(lambda: provider.references == [expected], seconds=5)
    assert worker.stop()


def test_one_slow_hand_over_does_not_hold_up_the_others(running, provider, outbox, until):
    provider.gate.clear()
    outbox(1)
    running.ring()
    until(lambda: len(provider.references) == 1)
    with_one_stuck = outbox(1, first=1)
    running.ring()
    until(lambda: len(provider.references) == 2, seconds=5)
    assert provider.references[1] in with_one_stuck


def test_an_exception_ends_a_pass_and_not_the_worker(running, provider, outbox, until, monkeypatch):
    real, failures = dispatch.take_next, [RuntimeError("secret 123456")] * 3

    def take_next(*arguments):
        if failures:
            raise failures.pop()
        return real(*arguments)

    monkeypatch.setattr(dispatch, "take_next", take_next)
    outbox(3)
    until(lambda: running.ring() or len(provider.references) == 3, seconds=10)


def test_pii_02_a_failed_pass_is_logged_without_its_words(app, provider, monkeypatch, until):
    def explode(*_):
        raise RuntimeError("code 123456 for +819012345678")

    monkeypatch.setattr(dispatch, "take_next", explode)
    written = io.StringIO()
    monkeypatch.setattr(logs.sys, "stderr", written)
    logs.configure("debug")
    failing = Worker(app, providers={"inbox": provider}, pause=0.01, timetable={})
    failing.start()
    until(lambda: written.getvalue().count("pass_failed") > 3)
    assert failing.stop()
    printed = written.getvalue()
    assert "RuntimeError" in printed
    assert "123456" not in printed


def test_a_stop_waits_for_the_send_under_way(running, provider, outbox, until, session):
    provider.gate.clear()
    outbox(1)
    running.ring()
    until(lambda: provider.references)
    assert not running.stop(within=0.1)
    provider.gate.set()
    assert running.stop(within=10)
    assert session.scalars(select(Message)).one().state == "sent"


def test_two_workers_run_a_job_once(app, shop):
    ran = []

    def job(_ctx) -> int:
        ran.append(threading.current_thread().name)
        time.sleep(0.3)
        return 0

    workers = [Worker(app, pause=0.05, timetable={"count": Job(60_000, job)}) for _ in range(2)]
    for each in workers:
        each.start()
    time.sleep(1.0)
    assert all(each.stop() for each in workers)
    assert len(ran) == 1


def test_a_job_that_found_rows_is_called_again_until_none_is_left(app, shop):
    left = [3, 2, 1, 0]
    once = Worker(app, timetable={"drain": Job(60_000, lambda _ctx: left.pop(0))})
    assert once.run_due_jobs() == ["drain"]
    assert left == []
    assert once.run_due_jobs() == []


def test_every_job_of_the_timetable_runs_on_an_empty_installation(app):
    assert set(Worker(app).run_due_jobs()) == set(worker.TIMETABLE)
