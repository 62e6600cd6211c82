"""A broken chain goes on from an entry that says so, and nothing of the damage is hidden by it (PII-07)."""

import pytest
from sqlalchemy import select, text

from portal.clock import DAY
from portal.core import audit_seals
from portal.core.audit_anchors import Anchor
from portal.core.audit_seals import Link
from portal.errors import NothingToVerify, Overtaken
from portal.models import INSTALLATION, ActorKind, AuditAction, AuditChain, AuditEntry
from portal.services import (
    audit,
    audit_chains,
    audit_checks,
    audit_restarts,
    audit_sealing,
    erasures,
    retention,
)
from portal.services.audit_reports import Report
from portal.services.context import Caller
from tests import factories

FORGE_SEAL = "UPDATE audit_chain SET seal = '{}' WHERE id = :app".format("0" * 64)
FORGED_ENTRY = """INSERT INTO audit_entry (app_id, at, actor_kind, action, reason, details)
    VALUES (:app, 1, 'operator', 'audit_chain.restarted', 'All is well.', '{}')"""


@pytest.fixture
def write(desk):
    """`write(5)` records so many entries of the shop and seals them, unless told not to."""

    def record(count: int, user_id: str = "alice", *, is_sealed: bool = True) -> None:
        for at in range(count):
            desk.do(
                lambda ctx, at=at: audit.record(ctx, AuditAction.CODE_RESENT, user_id, {"n": at}, "Asked."),
                desk.as_admin(),
            )
        while is_sealed and desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM)):
            pass

    return record


@pytest.fixture
def check(desk, clock):
    """`check(anchor)` is the report on the shop's chain."""

    def run(*anchors: Anchor) -> Report:
        with desk.transaction() as session:
            return audit_checks.check(session, desk.keys.audit, desk.app_id, clock.now(), anchors)

    return run


@pytest.fixture
def look(desk, clock):
    """The damage of the shop's chain, as an operator sees it."""

    def run(*anchors: Anchor) -> audit_restarts.Damage:
        with desk.transaction() as session:
            return audit_restarts.look(session, desk.keys.audit, desk.app_id, clock.now(), anchors)

    return run


@pytest.fixture
def restart(desk, look, clock):
    """An operator begins the shop's chain anew a moment later; the link of the entry that says so."""

    def run(*anchors: Anchor) -> Link:
        damage = look(*anchors)
        clock.advance(1)
        operator = Caller(ActorKind.OPERATOR, desk.app_id)
        return desk.do(lambda ctx: audit_restarts.begin_anew(ctx, damage, "A script did it."), operator)

    return run


@pytest.fixture
def tamper(desk, engine):
    """`tamper("UPDATE ... :app")` is an attacker who may do anything to the database, triggers included."""

    def run(statement: str, **values: object) -> None:
        with engine.connect() as connection, factories.past_audit_guard(connection):
            used = {"app": desk.app_id} | values if ":app" in statement else values
            assert connection.execute(text(statement), used).rowcount

    return run


@pytest.fixture
def head(desk):
    """Where the shop's chain ends now, as it is kept outside."""

    def run() -> Anchor:
        with desk.transaction() as session:
            chain = audit_chains.find(session, desk.app_id)
        return Anchor(desk.app_id, chain.head, chain.sealed_at)

    return run


def entries(desk) -> list[int]:
    return desk.rows(select(AuditEntry.id).where(AuditEntry.app_id == desk.app_id).order_by(AuditEntry.id))


# --- Going on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        FORGE_SEAL,
        "DELETE FROM audit_chain WHERE id = :app",
        "UPDATE audit_chain SET head_sequence = head_sequence + 7 WHERE id = :app",
        "UPDATE audit_chain SET base_sequence = 3 WHERE id = :app",
        "UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 3",
        "DELETE FROM audit_entry WHERE app_id = :app AND sequence = 3",
        "DELETE FROM audit_entry WHERE app_id = :app AND sequence > 3",
        "DELETE FROM audit_entry WHERE app_id = :app",
    ],
)
def test_pii_07_a_chain_goes_on_after_its_restart_whatever_was_done_to_it(
    desk, write, tamper, restart, check, damage
):
    write(5)
    tamper(damage)
    found = check().faults
    before = entries(desk)
    begun = restart()
    write(3)
    report = check()
    assert (report.faults, report.unsealed) == ([], 0)
    assert [each.sequence for each in report.restarts] == [begun.sequence]
    assert report.restarts[0].found.startswith(found[0])
    assert entries(desk)[: len(before)] == before
    told = desk.rows(select(AuditEntry.sequence).where(AuditEntry.id > max(before, default=0)))
    assert sorted(told) == [begun.sequence + place for place in range(4)]


def test_pii_07_the_first_entry_of_the_new_chain_says_when_why_and_where_the_old_one_ended(
    desk, write, tamper, restart, head
):
    write(5)
    former = head()
    tamper(FORGE_SEAL)
    begun = restart()
    (entry,) = desk.rows(select(AuditEntry).where(AuditEntry.sequence == begun.sequence))
    assert (entry.action, entry.actor_kind, entry.reason) == (
        AuditAction.AUDIT_CHAIN_RESTARTED,
        ActorKind.OPERATOR,
        "A script did it.",
    )
    number, spelled = entry.details["former_head"].split()
    assert Link(int(number), spelled.replace(":", "")) == former.link
    assert "begins and ends was changed" in entry.details["found"]


def test_pii_07_a_chain_that_holds_is_not_begun_anew(write, restart):
    write(5)
    with pytest.raises(NothingToVerify, match="there is nothing to begin anew"):
        restart()


def test_pii_07_what_was_wrong_before_goes_on_to_be_told(write, tamper, restart, check):
    write(5)
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 4")
    tamper(FORGE_SEAL)
    restart()
    report = check()
    assert report.faults == []
    assert ["entry 4 (id" in each for each in report.before] == [True]


def test_pii_07_a_chain_that_breaks_again_can_be_begun_anew_again(write, tamper, restart, check):
    write(5)
    tamper(FORGE_SEAL)
    first = restart()
    write(2)
    tamper(FORGE_SEAL)
    second = restart()
    write(2)
    report = check()
    assert (report.faults, report.before) == ([], [])
    assert [each.sequence for each in report.restarts] == [first.sequence, second.sequence]


def test_pii_07_of_two_operators_who_saw_the_same_damage_one_begins_anew(desk, write, tamper, look, check):
    for damage in (FORGE_SEAL, "DELETE FROM audit_chain WHERE id = :app"):
        write(2)
        tamper(damage)
        seen = look()
        desk.do(lambda ctx, seen=seen: audit_restarts.begin_anew(ctx, seen, "One of us."), desk.as_admin())
        with pytest.raises(Overtaken):
            desk.do(lambda ctx, seen=seen: audit_restarts.begin_anew(ctx, seen, "Other."), desk.as_admin())
        assert check().faults == []


def test_pii_07_entries_that_are_sealed_between_the_look_and_the_restart_are_not_lost(
    desk, write, tamper, look, check
):
    write(5)
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 3")
    seen = look()
    write(1)
    with pytest.raises(Overtaken):
        desk.do(lambda ctx: audit_restarts.begin_anew(ctx, seen, "Too late."), desk.as_admin())
    assert desk.rows(select(AuditEntry.id).where(AuditEntry.reason == "Too late.")) == []
    assert [each[:7] for each in check().faults] == ["entry 3"]


# --- Hiding ----------------------------------------------------------------------------------------------


@pytest.fixture
def begun(write, tamper, restart) -> Link:
    """A chain that was begun anew after its entry 3 was changed, and goes on."""
    write(5)
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 3")
    tamper(FORGE_SEAL)
    made = restart()
    write(2)
    return made


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 2",
        "UPDATE audit_entry SET reason = 'Nothing.' WHERE app_id = :app AND sequence = 4",
        "UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 3",
        "DELETE FROM audit_entry WHERE app_id = :app AND sequence = 3",
        "DELETE FROM audit_entry WHERE app_id = :app AND sequence <= 2",
    ],
)
def test_pii_07_what_is_done_after_the_restart_is_not_blamed_on_the_damage_before_it(
    begun, tamper, check, change
):
    assert check().faults == []
    tamper(change)
    assert check().faults == ["the entries of before the restart are not as they were found then"]


def test_pii_07_the_entry_that_says_so_cannot_be_changed_or_removed(begun, tamper, check):
    tamper(
        "UPDATE audit_entry SET reason = 'Tests.' WHERE app_id = :app AND sequence = :at", at=begun.sequence
    )
    (fault,) = check().faults
    assert f"entry {begun.sequence} (id" in fault
    tamper("DELETE FROM audit_entry WHERE app_id = :app AND sequence = :at", at=begun.sequence)
    assert check().faults == [f"entry {begun.sequence} is missing"]


@pytest.mark.parametrize("columns", ["restart_sequence = 99", "kept_hash = :nothing", "restarted_at = 1"])
def test_pii_07_where_a_chain_was_begun_anew_cannot_be_moved(begun, tamper, check, columns):
    values = {"nothing": "0" * 64} if ":nothing" in columns else {}
    tamper(f"UPDATE audit_chain SET {columns} WHERE id = :app", **values)
    assert "begins and ends was changed" in check().faults[0]


def test_pii_07_who_has_no_key_cannot_forge_a_restart(desk, engine, write, tamper, check, head):
    write(5)
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 3")
    with engine.connect() as connection:
        connection.execute(text(FORGED_ENTRY), {"app": desk.app_id})
    # The worker gives it no seal: it would be as good as a true one to whoever reads the log.
    write(1)
    faults = check().faults
    assert (len(faults), check().restarts) == (2, [])
    assert "no key sealed it" in faults[1]

    at = head().link.sequence + 1
    seal = "UPDATE audit_entry SET sequence = :at, hash = :it, told_hash = :it WHERE sequence IS NULL"
    tamper(seal, at=at, it="f" * 64)
    assert f"entry {at} (id" in check().faults[1]
    assert "put there by somebody else" in check().faults[1]


def test_pii_07_a_forged_restart_is_part_of_the_damage_that_a_true_one_tells_of(
    desk, engine, write, tamper, check, restart
):
    write(5)
    with engine.connect() as connection:
        connection.execute(text(FORGED_ENTRY), {"app": desk.app_id})
    begun = restart()
    write(2)
    report = check()
    assert (report.faults, report.unsealed) == ([], 0)
    assert [each.sequence for each in report.restarts] == [begun.sequence]
    assert "put there by somebody else" in report.before[0]


def test_pii_07_the_database_lets_nobody_remove_what_was_before_a_restart(desk, engine, begun, write):
    with engine.connect() as connection, pytest.raises(Exception, match="stay as they are"):
        connection.execute(
            text("DELETE FROM audit_entry WHERE app_id = :app AND sequence = 1"), {"app": desk.app_id}
        )


def test_pii_07_a_false_base_removes_nothing_by_a_restart(desk, engine, write, tamper, restart, check):
    write(5)
    tamper("UPDATE audit_chain SET base_sequence = 4 WHERE id = :app")
    restart()
    with engine.connect() as connection, pytest.raises(Exception, match="stay as they are"):
        connection.execute(
            text("DELETE FROM audit_entry WHERE app_id = :app AND sequence <= 4"), {"app": desk.app_id}
        )
    assert (check().faults, len(entries(desk))) == ([], len(entries(desk)))


def test_pii_07_an_old_row_of_before_the_restart_that_is_put_back_is_found(
    desk, session, write, tamper, restart, check
):
    write(5)
    old = session.execute(select(AuditChain.__table__).where(AuditChain.id == desk.app_id)).one()._asdict()
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 3")
    restart()
    del old["app_id"]
    names = ", ".join(f"{name} = :{name}" for name in old if name != "id")
    tamper(f"UPDATE audit_chain SET {names} WHERE id = :id", **old)
    assert "is not the one that the chain ends with" in check().faults[-1]


# --- Heads outside ---------------------------------------------------------------------------------------


def test_pii_07_a_head_outside_of_before_the_restart_is_answered_in_words(
    write, tamper, restart, check, head
):
    write(5)
    outside = head()
    tamper(FORGE_SEAL)
    restart()
    write(5)
    report = check(outside)
    assert (report.faults, report.before) == ([], ["heads outside of before the restart that fit: 1"])
    false = Anchor(outside.chain, Link(outside.link.sequence, "0" * 64), outside.sealed_at)
    (told,) = check(false).before
    assert "is not the one that the head outside of before the restart tells of" in told


def test_pii_07_a_head_of_the_former_end_is_no_false_alarm_where_its_number_was_given_anew(
    write, tamper, restart, check, head, desk
):
    write(5)
    outside = head()
    tamper("DELETE FROM audit_entry WHERE app_id = :app AND sequence > 2")
    tamper("UPDATE audit_chain SET head_sequence = 2 WHERE id = :app")
    restart()
    write(6)
    after = head()
    assert after.link.sequence > outside.link.sequence
    report = check(outside, after)
    assert (report.faults, len(report.before)) == ([], 1)
    assert f"entry {outside.link.sequence} is not the one" in report.before[0]
    false = Anchor(after.chain, Link(after.link.sequence, "0" * 64), after.sealed_at)
    assert "is not the one that the head outside tells of" in check(false).faults[0]


def test_pii_07_damage_that_only_a_head_outside_shows_can_be_restarted_with_it(
    write, session, desk, tamper, restart, check, head
):
    write(3)
    old = session.execute(select(AuditChain.__table__).where(AuditChain.id == desk.app_id)).one()._asdict()
    write(3)
    outside = head()
    tamper("DELETE FROM audit_entry WHERE app_id = :app AND sequence > :at", at=old["head_sequence"])
    names = ("head_sequence", "head_hash", "sealed_at", "seal")
    put_back = ", ".join(f"{name} = :{name}" for name in names)
    tamper(f"UPDATE audit_chain SET {put_back} WHERE id = :app", **{name: old[name] for name in names})
    with pytest.raises(NothingToVerify):
        restart()
    restart(outside)
    write(2)
    assert check(outside).faults == []
    assert "is not the one that the head outside of before" in check(outside).before[0]


# --- Age and erasure -------------------------------------------------------------------------------------


def test_pii_04_what_was_before_a_restart_goes_for_its_age_and_the_chain_still_holds(
    desk, begun, write, check, clock, head
):
    outside = head()
    clock.advance(200 * DAY / 1000)
    write(2)
    clock.advance(166 * DAY / 1000)
    removed = desk.do(retention.remove_old_audit_entries, Caller(ActorKind.SYSTEM))
    report = check(outside)
    assert removed == begun.sequence + 2
    assert (report.faults, report.restarts, report.entries) == ([], [], 2)


def test_pii_04_the_damaged_entries_go_one_batch_at_a_time(
    desk, write, tamper, restart, check, clock, monkeypatch
):
    write(6)
    clock.advance(10 * DAY / 1000)
    write(6)
    tamper("UPDATE audit_entry SET reason = 'No.' WHERE app_id = :app AND sequence = 3")
    tamper(FORGE_SEAL)
    restart()
    clock.advance(356 * DAY / 1000)
    monkeypatch.setattr(audit_sealing, "BATCH", 4)
    assert desk.do(retention.remove_old_audit_entries, Caller(ActorKind.SYSTEM)) == 4
    assert check().faults == []
    assert desk.do(retention.remove_old_audit_entries, Caller(ActorKind.SYSTEM)) > 0
    assert (check().faults, check().before) == ([], [])
    tamper("UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 10")
    assert check().faults == ["the entries of before the restart are not as they were found then"]


def test_pii_05_an_erasure_after_a_restart_is_no_alarm(desk, session, write, tamper, restart, check, clock):
    user = factories.user(session, app_id=desk.app_id)
    write(3, user.id)
    tamper(FORGE_SEAL)
    restart()
    clock.advance(1)
    desk.do(lambda ctx: erasures.erase_user(ctx, user.id))
    write(1)
    assert (check().faults, check().before) == ([], [])


def test_pii_07_sums_of_hashes_lose_what_was_added_in_any_order():
    key, facts = b"k" * 32, {"at": 1}
    hashes = [audit_seals.of_kept(key, "a", Link(n, "f" * 64), facts, "e" * 64) for n in range(1, 9)]
    kept = audit_seals.with_kept(audit_seals.NOTHING_KEPT, hashes)
    assert kept == audit_seals.with_kept(audit_seals.NOTHING_KEPT, reversed(hashes))
    assert audit_seals.with_kept(kept, hashes, -1) == audit_seals.NOTHING_KEPT
    assert audit_seals.with_kept(kept, hashes[:4], -1) == audit_seals.with_kept("0", hashes[4:])


def test_pii_07_the_installation_s_chain_is_begun_anew_like_an_app_s(desk, tamper, clock):
    desk.do(lambda ctx: audit.record(ctx.in_app(""), AuditAction.SEALING_KEY_ADDED))
    while desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM)):
        pass
    tamper(FORGE_SEAL.replace(":app", f"'{INSTALLATION}'"))
    with desk.transaction() as session:
        damage = audit_restarts.look(session, desk.keys.audit, INSTALLATION, clock.now())
    desk.do(lambda ctx: audit_restarts.begin_anew(ctx, damage, "Why."), Caller(ActorKind.OPERATOR))
    with desk.transaction() as session:
        report = audit_checks.check(session, desk.keys.audit, INSTALLATION, clock.now())
    assert (report.faults, len(report.restarts)) == ([], 1)
