"""Can a provider that is slow hold up the messages of other apps?"""

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import update

from portal.delivery.providers.base import Accepted
from portal.models import App
from portal.worker import Worker
from tests import factories
from tests.worker.conftest import put_down

SENDERS = 8


class Slow:
    """A provider that answers when it is let, and says how many it was given at most at once."""

    name = "slow"

    def __init__(self) -> None:
        self.gate, self._lock = threading.Event(), threading.Lock()
        self.inside = self.most = 0

    def send(self, sms) -> Accepted:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.gate.wait(30)
        with self._lock:
            self.inside -= 1
        return Accepted(sms.reference)


class Fast:
    name = "fast"

    def __init__(self) -> None:
        self.taken = []

    def send(self, sms) -> Accepted:
        self.taken.append(sms.reference)
        return Accepted(sms.reference)


@pytest.fixture
def slow():
    made = Slow()
    yield made
    made.gate.set()


@pytest.fixture
def fast() -> Fast:
    return Fast()


@pytest.fixture
def settings(settings):
    return replace(settings, senders=SENDERS)


@pytest.fixture
def running(app, slow, fast):
    worker = Worker(app, providers={"slow": slow, "fast": fast}, pause=0.05, timetable={})
    worker.start()
    yield worker
    slow.gate.set()
    assert worker.stop(within=20)


def use(transaction, app_id: str, provider: str) -> None:
    with transaction() as session:
        session.execute(update(App).where(App.id == app_id).values(provider=provider))


def another(transaction, session, provider: str, count: int, first: int) -> None:
    """One more app, with messages to be sent."""
    app = factories.app(session, provider=provider)
    factories.open_country(session, app_id=app.id)
    factories.sms_template(session, app_id=app.id)
    with transaction() as writing:
        put_down(writing, app.id, count, first)


def test_del_09_a_slow_provider_holds_half_of_the_senders_and_others_leave_at_once(
    running, shop, transaction, session, slow, fast, until
):
    use(transaction, shop.id, "slow")
    with transaction() as writing:
        put_down(writing, shop.id, 40)
    until(lambda: slow.inside == SENDERS // 2, seconds=10)
    another(transaction, session, "fast", 1, first=100)
    until(lambda: len(fast.taken) == 1, seconds=5)
    assert slow.most == SENDERS // 2


def test_del_09_with_several_slow_apps_a_sender_is_still_free(
    running, transaction, session, slow, fast, until
):
    for at in range(3):
        another(transaction, session, "slow", 10, first=10 * at)
    time.sleep(1)
    assert slow.inside < SENDERS
    another(transaction, session, "fast", 1, first=100)
    until(lambda: len(fast.taken) == 1, seconds=5)


def test_senders_that_become_free_serve_who_was_left_out(running, shop, transaction, slow, until, under_way):
    use(transaction, shop.id, "slow")
    with transaction() as writing:
        put_down(writing, shop.id, 30)
    until(lambda: slow.inside == SENDERS // 2, seconds=10)
    slow.gate.set()
    until(lambda: under_way() == 0, seconds=10)
    assert slow.most == SENDERS // 2
