"""Do four workers send five thousand messages exactly once each? (DEL-04)"""

import signal
import time

from sqlalchemy import select

from portal.models import Message
from tests.soak.conftest import wait_until
from tests.worker.conftest import put_down

COUNT = 5_000


def test_del_04_four_workers_send_five_thousand_messages_exactly_once_each(town, transaction, say):
    app = town.app("a")
    with transaction() as session:
        put_down(session, app.id, COUNT)
    town.tell_planner()
    start = time.monotonic()
    # The lease here is shorter than a whole minute, but not so short that a busy machine outlasts it.
    workers = [town.start("worker") for _ in range(4)]
    wait_until(lambda: town.under_way() == 0, 540)
    took = time.monotonic() - start
    for each in workers:
        each.signal(signal.SIGTERM)
    assert [each.popen.wait(30) for each in workers] == [0] * 4
    sends = town.sink.by_reference()
    say(f"{len(town.sink.got)} SMS in {took:.0f} s, {COUNT / took:.0f} a second")
    assert len(town.sink.got) == len(sends) == COUNT
    assert set(town.session.scalars(select(Message.state))) == {"sent"}


def test_del_04_workers_that_stand_still_for_longer_than_their_lease_leave_no_double_state(
    town, transaction, say
):
    app = town.app("a")
    town.sink.delay = lambda _path: 0.2
    with transaction() as session:
        put_down(session, app.id, 300)
    frozen, other = town.start("worker"), town.start("worker")
    wait_until(lambda: len(town.sink.got) > 20, 60)
    for _ in range(3):
        frozen.signal(signal.SIGSTOP)
        time.sleep(5)
        frozen.signal(signal.SIGCONT)
        time.sleep(0.5)
    wait_until(lambda: town.under_way() == 0, 120)
    sends = town.sink.by_reference()
    extra = sum(len(each) - 1 for each in sends.values())
    say(f"{extra} extra SMS for 3 freezes; {town.log().count('lease_lost')} lost leases were noticed")
    assert set(town.session.scalars(select(Message.state))) == {"sent"}
    assert all(len(each) <= 2 for each in sends.values())
    assert all(len({got.text for got in each}) == 1 for each in sends.values())
    assert other.popen.poll() is None
