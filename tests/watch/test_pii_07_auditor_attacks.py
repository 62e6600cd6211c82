"""Can somebody who writes to the database blind the walk, or tamper unseen between two walks? (PII-07)"""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from portal import clock as portal_clock
from portal.clock import DAY
from portal.models import AuditAction, AuditChain, AuditEntry
from portal.services import alarms, audit, audit_sealing
from portal.watch.auditor import Auditor
from tests import factories
from tests.watch.test_auditor import (
    CHANGE,
    FORGE_SEAL,
    SYSTEM,
    auditor,
    desk,
    restart,
    standing,
    tamper,
    walk,
    write,
)

__all__ = ["auditor", "desk", "standing", "tamper", "walk"]

DEEP = "[" * 3_000 + "]" * 3_000
NO_CHAIN = "DELETE FROM audit_chain WHERE id = :app"
A_DEEP_ROW = f"UPDATE audit_entry SET details = '{DEEP}' WHERE app_id = :app AND sequence = 1"
NO_TEXT = "UPDATE audit_entry SET reason = CAST(x'ff' AS TEXT) WHERE app_id = :app AND sequence = 1"


@pytest.fixture
def shops(desk, session) -> tuple[str, str]:
    """Two apps with sealed entries, by ID, in the order in which they are walked through."""
    other = factories.app(session).id
    desk.do(lambda ctx: audit.record(ctx.in_app(other), AuditAction.CODE_RESENT, "bob", {"n": 1}, "Asked."))
    write(desk, 1)
    first, second = sorted((desk.app_id, other))
    return first, second


@pytest.fixture
def rounds(app, clock):
    """`rounds()` are many, as the thread does them: what was logged, and what ended a round."""
    auditor = Auditor(app, portion=3, walk_every=0)

    def run(count: int = 40) -> tuple[set[str], set[str]]:
        errors = set()
        with capture_logs() as lines:
            for _ in range(count):
                clock.advance(1)
                try:
                    auditor.look()
                except Exception as error:  # noqa: BLE001 - a thread ends no sooner either
                    errors.add(type(error).__name__)
        return {line["app"] for line in lines if line["event"] == "audit_tampered"}, errors

    return run


def through(auditor: Auditor) -> None:
    while auditor.look():
        pass


# --- Rows that nobody can read ---------------------------------------------------------------------------


def test_pii_07_details_nested_too_deep_to_read_are_damage_and_hide_no_other_chain(
    shops, rounds, tamper, standing
):
    first, second = shops
    tamper(A_DEEP_ROW, app=first)
    tamper(NO_CHAIN, app=second)
    assert rounds() == ({first, second}, set())
    assert sorted(standing()) == sorted([("page", first), ("page", second)])


@pytest.mark.parametrize(
    "damage", [NO_TEXT, "UPDATE audit_chain SET seal = CAST(x'ff' AS TEXT) WHERE id = :app"]
)
def test_pii_07_a_text_that_is_none_is_damage_and_hides_no_other_chain(
    shops, rounds, tamper, standing, damage
):
    """PostgreSQL takes these bits for the text "11111111", which is another one than was written."""
    first, second = shops
    tamper(damage, app=first)
    tamper(NO_CHAIN, app=second)
    assert rounds() == ({first, second}, set())
    assert len(standing()) == 2


@pytest.mark.parametrize("since", ["'x'", "CAST(x'ff' AS TEXT)"])
@pytest.mark.parametrize("level", ["page", "over"])
def test_pii_07_an_alarm_that_cannot_be_read_swallows_nothing_that_was_found_beside_it(
    shops, engine, rounds, tamper, standing, level, since
):
    first, second = shops
    row = f"INSERT INTO alarm (name, about, level, since) VALUES ('audit_tampered', :app, '{level}', {since})"
    if engine.dialect.name == "postgresql":
        with pytest.raises(Exception, match=r"invalid input syntax|is of type bigint"):
            tamper(row, app=first)
        return
    tamper(row, app=first)
    damaged = {first, second} if level == "over" else {second}
    for each in damaged:
        tamper(NO_CHAIN, app=each)
    assert rounds() == (damaged, set())
    # The false one is gone, or has become a true one.
    assert set(standing()) == {("page", each) for each in damaged}


@pytest.mark.parametrize("app_id", ["x'00'", "CAST(x'ff' AS TEXT)"])
def test_pii_07_an_app_whose_id_is_no_text_is_damage_and_hides_no_chain(
    desk, session, engine, rounds, tamper, standing, app_id
):
    """PostgreSQL takes these bits for a text, too, and nothing was ever sealed for that app."""
    columns = session.execute(text("SELECT * FROM app")).keys()
    names = ", ".join(name for name in columns if name not in ("id", "client_id"))
    tamper(f"INSERT INTO app (id, client_id, {names}) SELECT {app_id}, 'c', {names} FROM app LIMIT 1")
    tamper(CHANGE)
    named = {desk.app_id}
    if engine.dialect.name == "sqlite":
        named.add("x'00'" if app_id == "x'00'" else "x'ff'")
    assert rounds() == (named, set())
    assert set(standing()) == {("page", each) for each in named}


def test_pii_07_a_made_up_erasure_does_not_hide_from_a_walk_that_entries_were_emptied(
    desk, walk, tamper, standing
):
    assert walk() == []
    tamper("UPDATE audit_entry SET reason = NULL, details = '{}' WHERE app_id = :app AND user_id = 'alice'")
    made_up = """INSERT INTO erasure (id, app_id, kind, user_id, number_hashes, erased_at)
        VALUES ('made-up', :app, 'user', 'alice', '[]', :at)"""
    tamper(made_up, at=portal_clock.now() + DAY)
    assert walk() == [desk.app_id]
    assert standing() == [("page", desk.app_id)]


def test_pii_07_a_database_out_of_reach_is_no_damage_and_what_was_found_is_told_later(
    desk, auditor, tamper, standing, clock, monkeypatch
):
    def fail(*_any: object) -> None:
        raise OperationalError("SELECT", None, Exception("connection lost"))

    tamper(CHANGE)
    with capture_logs() as lines:
        for broken in ("stands_since", "abouts"):
            with monkeypatch.context() as patch:
                patch.setattr(alarms, broken, fail)
                for _ in range(10):
                    with pytest.raises(OperationalError):
                        through(auditor)
            clock.advance(1)
        assert standing() == []
        through(auditor)
    assert {line["app"] for line in lines if line["event"] == "audit_tampered"} == {desk.app_id}
    assert standing() == [("page", desk.app_id)]


def test_pii_07_a_database_out_of_reach_while_a_chain_is_read_is_no_damage(
    desk, auditor, walk, standing, monkeypatch
):
    def fail(*_any: object) -> None:
        raise OperationalError("SELECT", None, Exception("connection lost"))

    with monkeypatch.context() as patch:
        patch.setattr("portal.services.audit_chains.find", fail)
        for _ in range(3):
            with pytest.raises(OperationalError):
                auditor.look()
    assert (walk(), standing()) == ([], [])


# --- Between two walks -----------------------------------------------------------------------------------


@pytest.fixture
def put_back(desk, session, tamper):
    """`put_back()` puts the chain's row of now in place again, and cuts off what came since."""
    columns = [column.name for column in AuditChain.__table__.columns if column.name not in ("id", "app_id")]
    read = text(f"SELECT {', '.join(columns)} FROM audit_chain WHERE id = :app")
    old = dict(session.execute(read, {"app": desk.app_id}).one()._mapping)
    values = ", ".join(f"{name} = :{name}" for name in columns)

    def run() -> None:
        tamper("DELETE FROM audit_entry WHERE app_id = :app AND sequence > :head", head=old["head_sequence"])
        tamper(f"UPDATE audit_chain SET {values} WHERE id = :app", **old)

    return run


def remove_chain(tamper) -> None:
    tamper("DELETE FROM audit_entry WHERE app_id = :app")
    tamper(NO_CHAIN)


def test_pii_07_the_newest_entries_cut_off_with_an_old_row_of_the_chain_are_found_again_and_again(
    desk, put_back, walk, tamper, standing
):
    write(desk, 5)
    assert walk() == []
    put_back()
    assert [walk(), walk()] == [[desk.app_id]] * 2
    # Others in their place make it no better.
    write(desk, 9)
    assert walk() == [desk.app_id]
    assert standing() == [("page", desk.app_id)]


def test_pii_07_a_chain_that_is_removed_whole_is_found_also_after_another_was_begun(
    desk, walk, tamper, standing
):
    assert walk() == []
    remove_chain(tamper)
    assert walk() == [desk.app_id]
    write(desk, 20)
    assert walk() == [desk.app_id]
    assert standing() == [("page", desk.app_id)]


def test_pii_07_the_head_that_shows_what_was_cut_off_is_logged_along(desk, auditor, walk, tamper):
    walk()
    [end] = desk.rows(select(AuditChain.head_sequence).where(AuditChain.id == desk.app_id))
    remove_chain(tamper)
    with capture_logs() as lines:
        through(auditor)
    told = [line for line in lines if line["event"] == "audit_head"]
    assert [(line["app"], line["sequence"]) for line in told] == [(desk.app_id, end)]
    assert all(line["hash"] and line["sealedAt"] for line in told)


def test_pii_07_what_retention_removes_between_two_walks_is_no_damage(desk, walk, standing, clock):
    assert walk() == []
    clock.advance(366 * DAY / 1000)
    assert desk.do(lambda ctx: audit_sealing.remove(ctx, ctx.now - 365 * DAY), SYSTEM)
    assert (walk(), standing()) == ([], [])
    write(desk, 3)
    assert desk.rows(select(AuditEntry.sequence).where(AuditEntry.app_id == desk.app_id))
    assert (walk(), standing()) == ([], [])


def test_pii_07_a_restart_after_what_was_cut_off_ends_the_alarm_though_numbers_are_given_anew(
    desk, put_back, walk, tamper, standing, clock
):
    write(desk, 5)
    walk()
    put_back()
    assert walk() == [desk.app_id]
    tamper(FORGE_SEAL)
    restart(desk, desk.app_id)
    assert (walk(), standing()) == ([], [])
    write(desk, 9)
    assert (walk(), standing()) == ([], [])


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_pii_07_an_app_that_is_deleted_between_two_walks_or_during_one_is_no_damage(
    desk, engine, auditor, walk, standing, clock, looks
):
    assert walk() == []
    clock.advance(1)
    for _ in range(looks):
        assert auditor.look()
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM app WHERE id = :id"), {"id": desk.app_id})
    assert (walk(), walk(), standing()) == ([], [], [])
