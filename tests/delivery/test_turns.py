"""Does every app get its turn, however many messages wait in another?"""

from sqlalchemy import event, text

from portal import clock as portal_clock
from portal.delivery import dispatch
from portal.delivery.turns import Turn, Turns, with_due_messages
from tests import factories
from tests.worker.conftest import put_down


def crowd(office, count: int, first: int = 0) -> list[str]:
    with office.transaction() as session:
        return put_down(session, office.app_id, count, first)


def message_of(session, app, **columns):
    user = factories.user(session, app_id=app.id)
    return factories.message(session, app_id=app.id, user_id=user.id, **columns)


def test_del_09_a_message_of_another_app_is_next_but_one(office, session, clock):
    crowd(office, 200)
    turns = Turns()
    assert dispatch.take_next(office.post, turns, anybody).claim.app_id == office.app_id
    clock.advance(1)
    late = message_of(session, factories.app(session))
    taken = [dispatch.take_next(office.post, turns, anybody).claim.id for _ in range(2)]
    assert late.id in taken


def test_apps_have_one_turn_each_till_all_had_theirs(office, session):
    for _ in range(3):
        app = factories.app(session)
        for _ in range(4):
            message_of(session, app)
    turns = Turns()
    served = [dispatch.take_next(office.post, turns, anybody).claim.app_id for _ in range(12)]
    assert [len(set(served[at : at + 3])) for at in range(0, 12, 3)] == [3, 3, 3, 3]
    assert dispatch.take_next(office.post, turns, anybody) is None


def test_an_app_that_may_take_no_more_is_passed_over(office, session):
    app = factories.app(session)
    message_of(session, app)
    message_of(session, factories.app(session))
    taken = dispatch.take_next(office.post, Turns(), lambda app_id: app_id != app.id)
    assert taken.claim.app_id != app.id
    assert dispatch.take_next(office.post, Turns(), lambda app_id: app_id != app.id) is None


def test_an_app_whose_messages_wait_for_their_next_try_has_no_turn(office, session, clock):
    message_of(session, factories.app(session), due_at=clock.at + 1)
    assert with_due_messages(session, clock.at) == []
    assert len(with_due_messages(session, clock.at + 1)) == 1


def test_an_app_is_held_while_every_carrier_that_is_on_is_paused(session, clock):
    app = factories.app(session, mode="live", provider="carriers")
    message_of(session, app)
    assert with_due_messages(session, clock.at) == [Turn(app.id, is_held=False)]
    first = factories.provider(session, app_id=app.id, paused_until=clock.at + 1)
    assert with_due_messages(session, clock.at) == []
    second = factories.provider(session, app_id=app.id)
    assert with_due_messages(session, clock.at) == [Turn(app.id, is_held=False)]
    second.is_on = False
    session.flush()
    assert with_due_messages(session, clock.at) == []
    assert first.paused_until == clock.at + 1
    assert with_due_messages(session, clock.at + 1) == [Turn(app.id, is_held=False)]


def test_del_05_what_is_past_use_ends_even_while_every_carrier_is_paused(office, network, clock):
    network.add("Only")
    dora = office.sign_up()
    row = network.row("Only")
    row.paused_until = clock.at + portal_clock.HOUR
    office.session.flush()
    clock.advance(599)
    assert office.send() == 0
    clock.advance(1)
    assert office.send() == 1
    assert office.message(dora).state == "expired"


def test_dat_05_in_quarantine_nothing_is_sent(office, session):
    office.sign_up()
    mark = factories.quarantine(session)
    assert office.send() == 0
    session.delete(mark)
    session.flush()
    assert office.send() == 1


def test_del_09_finding_whose_turn_it_is_reads_indexes_and_not_the_outbox(office, database):
    office.sign_up()
    plans = [plan_of(office, database, statement) for statement in statements_of(office)]
    assert any("ix_message_turn" in plan for plan in plans)
    assert not any("SCAN message" in plan.replace("USING", "") and "INDEX" not in plan for plan in plans)
    assert not any("Seq Scan on message" in plan for plan in plans)


def statements_of(office) -> list[tuple]:
    found = []

    def note(_connection, _cursor, statement, parameters, *_rest) -> None:
        found.append((statement, parameters))

    with office.transaction() as session:
        event.listen(session.get_bind(), "before_cursor_execute", note)
        with_due_messages(session, office.post.now())
        dispatch.claims.take(session, office.app_id, office.post.now(), 1)
        event.remove(session.get_bind(), "before_cursor_execute", note)
        session.rollback()
    return [each for each in found if "message" in each[0]]


def plan_of(office, database, statement) -> str:
    explain = "EXPLAIN QUERY PLAN" if database == "sqlite" else "EXPLAIN"
    if database == "postgresql":
        office.session.execute(text("SET enable_seqscan = off"))
    plan = office.session.connection().exec_driver_sql(f"{explain} {statement[0]}", statement[1])
    return str(plan.all())


def anybody(_app_id: str) -> bool:
    return True
