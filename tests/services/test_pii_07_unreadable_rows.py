"""One row that nobody can read is named, and silences no other (PII-07)."""

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from portal import logs
from portal.clock import DAY
from portal.models import Alarm, AuditAction, AuditEntry
from portal.services import (
    alarm_news,
    alarms,
    audit,
    audit_heads,
    audit_sealing,
    erasures,
    figures,
)
from tests import factories
from tests.services.test_emptied_entries import SYSTEM, seal, tamper
from tests.services.test_pii_07_marks_migration import check

__all__ = ["check", "tamper"]

# PostgreSQL takes nothing but numbers and texts for what they are, and yet JSON that is nested without end.
DEEP = "details = '" + "[" * 3_000 + "]" * 3_000 + "'"
ODD = [DEEP, "details = '" + '{"a": ' * 40 + "1" + "}" * 40 + "'"]
ODD_IN_SQLITE = ["reason = x'ff'", "action = CAST(x'ff' AS TEXT)", "at = 'x'", "at = CAST(x'ff' AS TEXT)"]
OTHER = "UPDATE audit_entry SET reason = 'Other.' WHERE app_id = :app AND sequence = :at"


@pytest.fixture(params=[*ODD, *ODD_IN_SQLITE])
def odd(request, engine) -> str:
    """What a row holds that nobody can read; what the database refuses is played by what it takes."""
    if engine.dialect.name == "postgresql" and request.param in ODD_IN_SQLITE:
        return DEEP
    return request.param


@pytest.fixture
def only_sqlite(engine) -> bool:
    """Whether the database takes anything for a text."""
    return engine.dialect.name == "sqlite"


@pytest.fixture
def write(desk):
    """`write(5)` leaves so many entries of the shop, or of another app, unsealed."""

    def run(count: int, app_id: str = "", user: str = "alice") -> None:
        for at in range(count):
            desk.do(
                lambda ctx, at=at: audit.record(
                    ctx.in_app(app_id or desk.app_id), AuditAction.CODE_RESENT, user, {"n": at}, "Asked."
                ),
                SYSTEM,
            )

    return run


@pytest.fixture
def other(session) -> str:
    """Another app."""
    return factories.app(session).id


def unsealed(desk) -> list[int]:
    return desk.rows(select(AuditEntry.id).where(AuditEntry.sequence.is_(None)))


def test_pii_07_an_entry_that_nobody_can_read_is_named_and_keeps_no_other_from_being_sealed(
    desk, write, other, tamper, check, odd
):
    seal(desk)
    write(3)
    write(2, other)
    spoilt = max(unsealed(desk)) - 3
    tamper(f"UPDATE audit_entry SET {odd} WHERE id = :id", id=spoilt)
    seal(desk)
    assert unsealed(desk) == [spoilt]
    assert (check(other).faults, check(other).entries) == ([], 2)
    assert check().faults == [
        f"the entry with id {spoilt} holds what Ringback never writes, so it is not sealed"
    ]


def test_pii_07_more_of_them_than_are_sealed_at_once_keep_no_other_from_being_sealed(
    desk, write, tamper, monkeypatch
):
    seal(desk)
    write(5)
    tamper(f"UPDATE audit_entry SET {DEEP} WHERE sequence IS NULL")
    spoilt = unsealed(desk)
    write(2)
    monkeypatch.setattr(audit_sealing, "BATCH", 2)
    seal(desk)
    assert unsealed(desk) == spoilt


def test_pii_07_a_sealed_entry_that_nobody_can_read_is_named_and_hides_no_damage_beside_it(
    desk, write, tamper, check, odd
):
    write(9)
    seal(desk)
    tamper(f"UPDATE audit_entry SET {odd} WHERE app_id = :app AND sequence = 4")
    tamper(OTHER, at=3)
    tamper(OTHER, at=5)
    tamper(OTHER, at=9)
    named = [each.partition(" (")[0] for each in check().faults]
    assert named == ["entry 3", "entry 4", "entry 5", "entry 9"]


@pytest.mark.parametrize("number", ["'x'", "x'00'", "CAST(x'ff' AS TEXT)", "4.5", "9e999"])
def test_pii_07_an_entry_whose_number_is_none_is_named_and_hides_no_damage_beside_it(
    desk, write, tamper, check, only_sqlite, number
):
    write(9)
    seal(desk)
    tamper(OTHER, at=7)
    if not only_sqlite:
        with pytest.raises(Exception, match=r"type bigint|invalid input|out of range|unique|double"):
            tamper(f"UPDATE audit_entry SET sequence = {number} WHERE app_id = :app AND sequence IN (4, 5)")
        return
    tamper(f"UPDATE audit_entry SET sequence = {number} WHERE app_id = :app AND sequence = 4")
    faults = check().faults
    assert "entry 4 is missing" in faults
    assert any("entry 7 (id" in each for each in faults)
    assert any("for a number that is none" in each or "entry 4.5 (id" in each for each in faults)


def test_pii_07_a_chain_whose_row_nobody_can_read_keeps_no_other_from_being_sealed_or_told(
    desk, write, other, tamper, check, only_sqlite
):
    write(2)
    write(2, other)
    seal(desk)
    if only_sqlite:
        tamper("UPDATE audit_chain SET head_hash = x'ff' WHERE id = :app")
    else:
        tamper("UPDATE audit_chain SET seal = 'é' WHERE id = :app")
    write(2)
    write(2, other)
    seal(desk)
    assert (check(other).faults, check(other).entries) == ([], 4)
    assert check().faults
    logs.configure("info")
    with capture_logs() as lines, pytest.raises(audit_heads.BrokenChains):
        desk.do(audit_heads.tell, SYSTEM)
    told = {line["app"] for line in lines if line["event"] == "audit_head"}
    assert (other in told, desk.app_id in told) == (True, not only_sqlite)


def test_pii_04_an_old_entry_that_nobody_can_read_keeps_no_other_chain_from_getting_shorter(
    desk, write, other, tamper, check, clock, odd
):
    write(3)
    write(3, other)
    seal(desk)
    tamper(f"UPDATE audit_entry SET {odd} WHERE app_id = :app AND sequence = 1")
    clock.advance(366 * DAY / 1000)
    assert desk.do(lambda ctx: audit_sealing.remove(ctx, ctx.now - 365 * DAY), SYSTEM) >= 3
    assert desk.rows(select(AuditEntry.id).where(AuditEntry.app_id == other)) == []
    assert check(other).faults == []
    assert ["entry 1 (id" in each for each in check().faults] == [True]


def test_pii_05_a_user_of_whom_an_unreadable_entry_tells_is_erased_and_the_damage_stays_known(
    desk, session, write, tamper, check, odd
):
    user = factories.user(session, app_id=desk.app_id).id
    write(3, user=user)
    seal(desk)
    first = "SELECT min(id) FROM audit_entry WHERE user_id = :user"
    tamper(f"UPDATE audit_entry SET {odd} WHERE id = ({first})", user=user)
    desk.do(lambda ctx: erasures.erase_user(ctx, user))
    told = select(AuditEntry.id).where(AuditEntry.user_id == user, AuditEntry.reason.is_not(None))
    # What tells of the erasure itself has no reason, here.
    assert desk.rows(told) == []
    seal(desk)
    assert len(check().faults) == 1


# --- Alarms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        "('x', x'ff', 'page', 1)",
        "(CAST(x'ff' AS TEXT), 'about', 'page', 1)",
        "('worker_dead', 'about', x'ff', 1)",
        "('worker_dead', x'ff', 'warn', 1)",
        "('x', 'about', 'page', 'never')",
        "('x', 'about', 'page', CAST(x'ff' AS TEXT))",
        "('x', 'about', 'page', 9000000000000000000)",
    ],
)
def test_pii_07_an_alarm_that_nobody_can_read_hides_no_other(desk, session, tamper, clock, only_sqlite, row):
    if not only_sqlite:
        row = "('é', '', 'page', 9000000000000000000)"
    session.add(Alarm(name="audit_tampered", about=desk.app_id, level="page", since=clock.now()))
    session.flush()
    tamper(f"INSERT INTO alarm (name, about, level, since) VALUES {row}")
    seen = Alarm(name="audit_tampered", about=desk.app_id, level="page", since=clock.now())
    with desk.transaction() as reading:
        standing = alarm_news.standing(reading)
        untold = alarm_news.untold(reading)
        counted = figures.read(reading, clock.now()).alarms
    assert len(standing) == 2
    for found in (standing, untold):
        assert (seen.name, seen.about) in [(each.name, each.about) for each in found]
    assert ("audit_tampered", "page", 1) in counted
    # What is found later is raised all the same, and the others of those that are watched are ended.
    with desk.transaction() as writing:
        found = alarms.look(writing, clock.now())
        alarms.settle(writing, found, clock.now(), is_told=False)
    with desk.transaction() as reading:
        assert {each.name for each in found} <= {each.name for each in alarm_news.standing(reading)}
