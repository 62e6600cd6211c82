"""Whose turn is a periodic job?"""

import threading

from portal.clock import MINUTE
from portal.services import timetable

NOW = 1_795_000_000_000


def test_a_job_that_never_ran_is_due(transaction):
    with transaction() as session:
        assert timetable.due(session, {"sweep": 1, "dust": 2}, NOW) == ["sweep", "dust"]


def test_a_taken_job_is_nobody_elses_until_its_lease_lapses(transaction):
    with transaction() as session:
        assert timetable.take(session, "sweep", NOW, MINUTE)
    with transaction() as session:
        assert timetable.due(session, {"sweep": 1}, NOW + MINUTE - 1) == []
        assert timetable.take(session, "sweep", NOW + MINUTE - 1, MINUTE) is None
        assert timetable.take(session, "sweep", NOW + MINUTE, MINUTE)


def test_a_finished_job_is_due_again_when_it_said_so(transaction):
    with transaction() as session:
        lease = timetable.take(session, "sweep", NOW, MINUTE)
        timetable.finish(session, "sweep", lease, NOW + 10 * MINUTE)
        assert timetable.due(session, {"sweep": 1}, NOW + 10 * MINUTE - 1) == []
        assert timetable.due(session, {"sweep": 1}, NOW + 10 * MINUTE) == ["sweep"]


def test_a_worker_whose_lease_lapsed_does_not_put_the_job_off(transaction):
    with transaction() as session:
        late = timetable.take(session, "sweep", NOW, MINUTE)
        assert timetable.take(session, "sweep", NOW + MINUTE, MINUTE)
        timetable.finish(session, "sweep", late, NOW + 99 * MINUTE)
        assert timetable.due(session, {"sweep": 1}, NOW + 2 * MINUTE) == ["sweep"]


def test_of_eight_schedulers_at_once_one_gets_the_job(transaction):
    start, leases = threading.Barrier(8), []

    def race() -> None:
        start.wait()
        with transaction() as session:
            leases.append(timetable.take(session, "sweep", NOW, MINUTE))

    racers = [threading.Thread(target=race) for _ in range(8)]
    for each in racers:
        each.start()
    for each in racers:
        each.join()
    assert sum(lease is not None for lease in leases) == 1
    assert len(leases) == 8
