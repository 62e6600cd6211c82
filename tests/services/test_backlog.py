"""When is an app told that too many of its messages wait?"""

from dataclasses import replace

import pytest
from sqlalchemy import event, text

from portal.core.limits import BENCH, DEFAULT
from portal.core.reasons import Reason
from portal.errors import Busy
from portal.services import backlog
from tests import factories
from tests.worker.conftest import put_down

SMALL = replace(DEFAULT, most_waiting=20, least_backlog=5)


class Crowd:
    """The shop's outbox, and whether it takes on more."""

    def __init__(self, shop, transaction, context_for, clock) -> None:
        self._app_id, self._transaction, self._context_for = shop.id, transaction, context_for
        self._clock, self._next = clock, 0

    def waits(self, count: int) -> None:
        with self._transaction() as session:
            put_down(session, self._app_id, count, self._next)
        self._next += count

    def is_refused(self, app_id: str = "") -> bool:
        with self._transaction() as session:
            ctx = self._context_for(session, profile=SMALL).in_app(app_id or self._app_id)
            try:
                backlog.refuse_when_crowded(ctx)
            except Busy as busy:
                self.told = busy
                return True
        return False


@pytest.fixture
def crowd(shop, transaction, context_for, clock) -> Crowd:
    return Crowd(shop, transaction, context_for, clock)


def test_del_09_so_many_waiting_are_one_too_many(crowd, clock):
    crowd.waits(19)
    assert not crowd.is_refused()
    crowd.waits(1)
    clock.advance(1)
    assert crowd.is_refused()
    assert (crowd.told.details["reason"], crowd.told.retry_after) == (Reason.TOO_MANY_WAITING, 15)


def test_del_09_a_backlog_of_a_minute_is_too_long(crowd, clock):
    crowd.waits(5)
    clock.advance(59.999)
    assert not crowd.is_refused()
    clock.advance(1)
    assert crowd.is_refused()


def test_a_few_that_wait_long_are_no_crowd(crowd, clock):
    crowd.waits(4)
    clock.advance(300)
    assert not crowd.is_refused()


def test_del_09_no_other_app_is_shut_out(crowd, session):
    crowd.waits(20)
    assert not crowd.is_refused(factories.app(session).id)
    assert crowd.is_refused()


def test_it_looks_once_in_a_second(crowd, clock):
    assert not crowd.is_refused()
    crowd.waits(20)
    assert not crowd.is_refused()
    clock.advance(1)
    assert crowd.is_refused()


def test_del_09_it_recovers_by_itself(crowd, clock, session):
    crowd.waits(20)
    assert crowd.is_refused()
    session.execute(text("UPDATE message SET state = 'sent'"))
    clock.advance(1)
    assert not crowd.is_refused()


def test_the_usual_caps_are_those_of_the_requirement():
    assert (DEFAULT.most_waiting, DEFAULT.longest_backlog) == (50_000, 60_000)
    assert BENCH.most_waiting > DEFAULT.most_waiting


def test_it_reads_the_index_of_turns(crowd, transaction, context_for, shop, database):
    crowd.waits(3)
    asked = []
    with transaction() as session:
        ctx = context_for(session, profile=SMALL).in_app(shop.id)
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        backlog.refuse_when_crowded(ctx)
        if database == "postgresql":
            session.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
        plans = [
            str(connection.exec_driver_sql(f"{explain} {sql}", values).all()) for sql, values in asked[:2]
        ]
    assert len(plans) == 2
    assert all("ix_message_turn" in plan for plan in plans)
