"""Does a crowd in one app hold up another? Does the cap hold, and is it left again? (DEL-09)"""

import time

from sqlalchemy import delete

from portal.models import Message
from tests.soak.conftest import wait_until
from tests.worker.conftest import put_down

SECONDS = 300
CROWD = 10_000
CAP = 50_000


def test_del_09_ten_thousand_waiting_messages_of_one_app_leave_the_other_quick(town, transaction, say):
    crowded, quick = town.app("crowded"), town.app("quick")
    town.sink.delay = lambda path: 1.0 if path == "crowded" else 0.05
    with transaction() as session:
        put_down(session, crowded.id, CROWD)
    town.tell_planner()
    town.start("serve")
    town.start("worker")
    town.wait_for_web()
    accepted: dict[str, float] = {}
    start = time.monotonic()
    for at in range(SECONDS):
        status, _answer, number = town.sign_up(quick)
        assert status == 204
        accepted[number] = time.time()
        time.sleep(max(0, start + at + 1 - time.monotonic()))
    wait_until(lambda: all(town.sink.last_to(number) for number in accepted), 30)
    waits = sorted(town.sink.last_to(number).at - at for number, at in accepted.items())
    left = town.under_way()
    say(
        f"accept to provider p50 {waits[len(waits) // 2] * 1000:.0f} ms, "
        + f"p95 {waits[int(len(waits) * 0.95)] * 1000:.0f} ms, most {waits[-1] * 1000:.0f} ms; "
        + f"{left} of the crowd still wait"
    )
    assert left > CROWD / 2, "the crowd was gone too soon to tell anything"
    assert waits[int(len(waits) * 0.95)] < 5


def test_del_09_at_the_cap_the_app_is_told_so_and_memory_stays_flat(town, transaction, say):
    crowded, quick = town.app("crowded"), town.app("quick")
    town.sink.delay = lambda path: 1.0 if path == "crowded" else 0.0
    usual = {"limits": "default", "source_sends": "100000", "source_calls": "100000"}
    web, worker = town.start("serve", **usual), town.start("worker", **usual)
    town.wait_for_web()
    assert town.sign_up(crowded)[0] == 204
    before = web.memory_mb(), worker.memory_mb()
    for first in range(0, CAP, 5_000):
        with transaction() as session:
            put_down(session, crowded.id, 5_000, first)
        town.tell_planner()
    wait_until(lambda: town.sign_up(crowded)[0] == 503, 30)
    status, answer, _number = town.sign_up(crowded)
    assert (status, answer["reason"]) == (503, "too_many_waiting")
    assert town.sign_up(quick)[0] == 204
    time.sleep(20)
    after = web.memory_mb(), worker.memory_mb()
    town.session.execute(delete(Message).where(Message.app_id == crowded.id))
    start = time.monotonic()
    wait_until(lambda: town.sign_up(crowded)[0] == 204, 10)
    say(
        f"memory of web {before[0]:.0f} to {after[0]:.0f} MB, of the worker {before[1]:.0f} to "
        + f"{after[1]:.0f} MB; takes on again after {time.monotonic() - start:.1f} s"
    )
    assert all(late - early < 40 for early, late in zip(before, after, strict=True))
