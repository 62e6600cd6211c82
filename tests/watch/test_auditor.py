"""A running server notices what was done to its audit log, and nothing that it does itself (PII-07)."""

import threading

import pytest
from sqlalchemy import event, select, text
from structlog.testing import capture_logs

import portal.database
from portal import clock as portal_clock
from portal.clock import DAY
from portal.models import INSTALLATION, ActorKind, Alarm, AuditAction, AuditEntry
from portal.services import audit, audit_restarts, audit_sealing, erasures, retention
from portal.services.context import Caller
from portal.watch.auditor import Auditor
from portal.watch.watchman import Watchman
from portal.worker import Worker
from tests import factories
from tests.services.conftest import Desk
from tests.services.racing import race

SYSTEM = Caller(ActorKind.SYSTEM)
FORGE_SEAL = "UPDATE audit_chain SET seal = '{}' WHERE id = :app".format("0" * 64)
CHANGE = "UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 3"


@pytest.fixture
def desk(transaction, keys, clock) -> Desk:
    """A shop whose log has some entries, all sealed."""
    made = Desk(transaction, keys, clock=clock)
    write(made, 8)
    return made


def write(desk: Desk, count: int, user_id: str = "alice") -> None:
    for at in range(count):
        desk.do(
            lambda ctx, at=at: audit.record(ctx, AuditAction.CODE_RESENT, user_id, {"n": at}, "Asked."),
            desk.as_admin(),
        )
    while desk.do(audit_sealing.seal, SYSTEM):
        pass


def restart(desk: Desk, app_id: str) -> None:
    with desk.transaction() as session:
        damage = audit_restarts.look(session, desk.keys.audit, app_id, portal_clock.now())
    operator = Caller(ActorKind.OPERATOR, "" if app_id == INSTALLATION else app_id)
    desk.do(lambda ctx: audit_restarts.begin_anew(ctx, damage, "Looked at."), operator)


@pytest.fixture
def auditor(app) -> Auditor:
    """It looks at three entries at once, and begins again as soon as it is through."""
    return Auditor(app, portion=3, walk_every=0)


@pytest.fixture
def walk(auditor, clock):
    """`walk()` goes through every chain once; returns what was logged."""

    def through() -> list[str]:
        clock.advance(1)
        with capture_logs() as lines:
            while auditor.look():
                pass
        return [line["app"] for line in lines if line["event"] == "audit_tampered"]

    return through


@pytest.fixture
def tamper(desk, engine):
    """An attacker who may do anything to the database, triggers included."""

    def run(statement: str, **values: object) -> None:
        used = {"app": desk.app_id} | values if ":app" in statement else values
        with engine.connect() as connection, factories.past_audit_guard(connection):
            assert connection.execute(text(statement), used).rowcount

    return run


@pytest.fixture
def standing(session):
    """`standing()` is every alarm about an audit log, as its level and the chain."""

    def now() -> list[tuple[str, str]]:
        found = session.execute(select(Alarm.level, Alarm.about).where(Alarm.name == "audit_tampered"))
        return [tuple(row) for row in found]

    return now


# --- Finding ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        CHANGE,
        "UPDATE audit_entry SET reason = 'Nothing.' WHERE app_id = :app AND sequence = 9",
        "UPDATE audit_entry SET reason = NULL, details = '{}' WHERE app_id = :app AND sequence = 9",
        "UPDATE audit_entry SET details = '[]' WHERE app_id = :app AND sequence = 9",
        "UPDATE audit_entry SET details = 'null' WHERE app_id = :app AND sequence = 9",
        "DELETE FROM audit_entry WHERE app_id = :app AND sequence = 3",
        "DELETE FROM audit_entry WHERE app_id = :app AND sequence > 5",
        "DELETE FROM audit_entry WHERE app_id = :app",
        "UPDATE audit_entry SET sequence = sequence + 900 WHERE app_id = :app AND sequence = 4",
        "DELETE FROM audit_chain WHERE id = :app",
        "UPDATE audit_chain SET base_sequence = 3 WHERE id = :app",
        FORGE_SEAL,
    ],
)
def test_pii_07_what_is_done_to_a_log_raises_an_alarm_that_ends_once_the_chain_is_begun_anew(
    desk, walk, tamper, standing, damage
):
    assert (walk(), standing()) == ([], [])
    tamper(damage)
    assert walk() == [desk.app_id]
    assert standing() == [("page", desk.app_id)]
    restart(desk, desk.app_id)
    write(desk, 2)
    assert (walk(), standing()) == ([], [])


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit_entry SET details = 'x{' WHERE app_id = :app AND sequence = 5",
        "UPDATE audit_entry SET sequence = 'x' WHERE app_id = :app AND sequence = 5",
        "UPDATE audit_entry SET at = 'x', reason = 7 WHERE app_id = :app AND sequence = 5",
        "UPDATE audit_chain SET head_sequence = 'x' WHERE id = :app",
    ],
)
def test_pii_07_rows_that_cannot_even_be_read_do_not_stop_the_walk(
    desk, engine, session, walk, tamper, standing, damage
):
    if engine.dialect.name == "postgresql":
        # It takes nothing of the wrong type; what it takes is tried above.
        with pytest.raises(Exception, match="invalid input syntax"):
            tamper(damage)
        return
    other = factories.app(session).id
    desk.do(lambda ctx: audit.record(ctx.in_app(other), AuditAction.CODE_RESENT, "bob"))
    write(desk, 1)
    tamper(damage)
    assert walk() == [desk.app_id]
    tamper("DELETE FROM audit_chain WHERE id = :other", other=other)
    assert sorted(walk()) == sorted([desk.app_id, other])
    assert len(standing()) == 2


def test_pii_07_the_installation_s_log_is_walked_through_too(desk, walk, tamper, standing):
    desk.do(lambda ctx: audit.record(ctx.in_app(""), AuditAction.SEALING_KEY_ADDED))
    write(desk, 1)
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id IS NULL")
    walk()
    assert standing() == [("page", INSTALLATION)]


def test_pii_07_the_operator_is_told_once_of_the_damage_and_once_of_its_end(
    app, desk, walk, tamper, clock, session
):
    factories.worker_beat(session, beat_at=clock.at + 10**9)
    heard = []
    guard = Watchman(app, lambda news, counts: heard.append((news.name, news.level, news.about)))
    tamper(CHANGE)
    for _ in range(2):
        walk()
        clock.advance(5)
        guard.look()
    assert heard == [("audit_tampered", "page", desk.app_id)]


def test_pii_07_an_app_that_is_gone_takes_its_alarm_along(desk, engine, walk, tamper, standing):
    tamper(CHANGE)
    walk()
    assert standing() == [("page", desk.app_id)]
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM app WHERE id = :id"), {"id": desk.app_id})
    assert (walk(), standing()) == ([], [])


def test_pii_07_a_started_worker_finds_damage_by_itself(app, desk, tamper, standing):
    tamper(CHANGE)
    worker = Worker(app, timetable={})
    worker.start()
    waited = threading.Event()
    try:
        assert any(standing() or waited.wait(0.1) for _ in range(200))
    finally:
        assert worker.stop()
    assert standing() == [("page", desk.app_id)]


# --- Silencing -------------------------------------------------------------------------------------------


def test_pii_07_no_row_puts_a_walk_off_or_makes_an_alarm_look_told(desk, walk, tamper, standing):
    tamper(CHANGE)
    tamper("INSERT INTO periodic_job (name, due_at) VALUES ('auditor', 9000000000000000)")
    tamper(
        """INSERT INTO alarm (name, about, level, since, told_level, told_at)
        VALUES ('audit_tampered', :app, 'over', 9000000000000, 'page', 1)"""
    )
    assert walk() == [desk.app_id]
    assert standing() == [("page", desk.app_id)]


def test_pii_07_an_alarm_that_is_removed_comes_back_and_the_log_tells_of_it_each_time(
    desk, walk, tamper, standing
):
    tamper(CHANGE)
    for _ in range(3):
        assert walk() == [desk.app_id]
        assert standing() == [("page", desk.app_id)]
        tamper("DELETE FROM alarm")


def test_pii_07_a_chain_that_is_moved_back_again_and_again_is_damage_too(
    desk, session, auditor, tamper, standing, clock
):
    """Else whoever does that in time would have each walk begin again for ever."""
    columns = ["base_sequence", "base_hash", "head_sequence", "head_hash", "sealed_at", "seal"]
    values = ", ".join(f"{name} = :{name}" for name in columns)
    read = text(f"SELECT {', '.join(columns)} FROM audit_chain WHERE id = :app")
    old = dict(session.execute(read, {"app": desk.app_id}).one()._mapping)
    write(desk, 1)
    new = dict(session.execute(read, {"app": desk.app_id}).one()._mapping)
    for _ in range(30):
        for row in (new, old):
            tamper(f"UPDATE audit_chain SET {values} WHERE id = :app", **row)
            auditor.look()
    assert standing() == [("page", desk.app_id)]


def test_pii_07_a_walk_that_began_before_the_damage_was_seen_does_not_end_its_alarm(
    app, desk, walk, tamper, standing, clock
):
    slow = Auditor(app, portion=1, walk_every=0)
    for _ in range(5):
        assert slow.look()
    tamper(CHANGE)
    walk()
    while slow.look():
        clock.advance(1)
    assert standing() == [("page", desk.app_id)]


# --- What goes on beside it ------------------------------------------------------------------------------


@pytest.fixture
def erased(desk, session):
    """Users of the shop of whom sealed entries tell, to be erased one by one."""
    made = [factories.user(session, app_id=desk.app_id).id for _ in range(8)]
    for user_id in made:
        write(desk, 2, user_id)
    return made


def test_pii_07_nothing_that_ringback_does_between_two_portions_is_taken_for_damage(
    desk, erased, auditor, tamper, standing, clock, monkeypatch
):
    monkeypatch.setattr(audit_sealing, "BATCH", 2)
    tamper(CHANGE)
    restart(desk, desk.app_id)
    clock.advance(364 * DAY / 1000)
    write(desk, 4)
    first = desk.rows(select(AuditEntry.sequence).where(AuditEntry.sequence.is_not(None)))
    clock.advance(2 * DAY / 1000)
    with capture_logs() as lines:
        for at in range(60):
            auditor.look()
            clock.advance(1)
            if at % 2:
                desk.do(lambda ctx: audit_sealing.remove(ctx, ctx.now - 365 * DAY), SYSTEM)
            if at % 5 == 0 and erased:
                desk.do(lambda ctx: erasures.erase_user(ctx, erased.pop()))
            write(desk, 1)
        while auditor.look():
            pass
    assert [line for line in lines if line["log_level"] == "error"] == []
    assert standing() == []
    assert len(first) > 20
    assert min(desk.rows(select(AuditEntry.sequence).where(AuditEntry.app_id == desk.app_id))) > 20
    assert erased == []


def test_pii_07_a_restart_in_the_middle_of_a_walk_is_no_damage(desk, auditor, walk, tamper, standing):
    auditor.look()
    auditor.look()
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 1")
    restart(desk, desk.app_id)
    write(desk, 5)
    assert (walk(), standing()) == ([], [])


def test_pii_07_a_walk_that_is_overtaken_by_what_goes_for_its_age_is_no_damage(
    desk, auditor, walk, tamper, standing, clock
):
    clock.advance(10 * DAY / 1000)
    write(desk, 10)
    tamper(FORGE_SEAL)
    restart(desk, desk.app_id)
    clock.advance(356 * DAY / 1000)
    for _ in (INSTALLATION, desk.app_id):
        assert auditor.look()
    # Three of them were looked at.
    assert desk.do(retention.remove_old_audit_entries, SYSTEM) == 11
    assert (walk(), standing()) == ([], [])


def test_pii_07_what_retention_removes_of_before_a_restart_hides_no_change_to_it(
    desk, auditor, walk, tamper, standing, clock
):
    tamper(FORGE_SEAL)
    restart(desk, desk.app_id)
    clock.advance(366 * DAY / 1000)
    write(desk, 3)
    tamper("UPDATE audit_entry SET reason = 'No.' WHERE app_id = :app AND sequence = 7")
    while auditor.look():
        desk.do(lambda ctx: audit_sealing.remove(ctx, ctx.now - 365 * DAY), SYSTEM)
    desk.do(retention.remove_old_audit_entries, SYSTEM)
    walk()
    assert standing() == [("page", desk.app_id)]


@pytest.mark.parametrize("processes", [1, 4])
def test_pii_07_writers_workers_and_erasures_at_once_raise_no_alarm(
    app, transaction, keys, settings, session, standing, tamper_anywhere, processes
):
    """Under the real clock, on the rows that other processes change."""
    desk = Desk(transaction, keys)
    people = [factories.user(session, app_id=desk.app_id).id for _ in range(20)]
    for user_id in people:
        write(desk, 2, user_id)
    tamper_anywhere(FORGE_SEAL, app=desk.app_id)
    restart(desk, desk.app_id)
    calls = [
        (("delete", user), ("write_entry", "bob"), ("seal_entries",), ("seal_entries",)) for user in people
    ]
    found = []
    racing = threading.Thread(
        target=lambda: found.append(
            race(settings, desk.app_id, [one for each in calls for one in each], processes)
        )
    )
    auditor, looks = Auditor(app, portion=5, walk_every=0), 0
    racing.start()
    with capture_logs() as lines:
        while racing.is_alive():
            auditor.look()
            looks += 1
        while auditor.look():
            pass
    racing.join()
    assert found == [{"done": 80}]
    assert looks > 50
    assert [line for line in lines if line["log_level"] == "error"] == []
    assert standing() == []


@pytest.fixture
def tamper_anywhere(engine):
    def run(statement: str, **values: object) -> None:
        with engine.connect() as connection, factories.past_audit_guard(connection):
            assert connection.execute(text(statement), values).rowcount

    return run


# --- What it costs ---------------------------------------------------------------------------------------


def test_pii_07_one_look_reads_one_portion_in_a_transaction_of_its_own(app, desk):
    write(desk, 40)
    with app.app_context():
        engine = portal.database.db.engine
    auditor = Auditor(app, portion=10, walk_every=0)
    # The installation's chain, then the shop's in portions.
    assert auditor.look()
    begun, ended = [], []
    event.listen(engine, "begin", begun.append)
    event.listen(engine, "rollback", ended.append)
    looks = 1
    while auditor.look():
        assert len(begun) == len(ended) == looks
        looks += 1
    assert looks >= 48 // 10


def test_pii_07_the_next_walk_waits_for_its_time(app, desk, tamper, standing):
    auditor = Auditor(app, walk_every=3_600)
    while auditor.look():
        pass
    tamper(CHANGE)
    assert not auditor.look()
    assert standing() == []
