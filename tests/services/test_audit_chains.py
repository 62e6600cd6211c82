"""Whoever edits, removes, reorders or cuts off what the audit log says is found out (PII-07)."""

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from portal import logs
from portal.clock import DAY
from portal.core.audit_anchors import Anchor
from portal.core.audit_seals import Link
from portal.models import (
    INSTALLATION,
    ActorKind,
    AuditAction,
    AuditChain,
    AuditEntry,
)
from portal.services import audit, audit_chains, audit_checks, audit_heads, audit_sealing, erasures, retention
from portal.services.audit_reports import Report
from portal.services.context import Caller
from tests import factories


@pytest.fixture
def write(desk):
    """`write(5)` records so many entries of the shop, or of another app, or of none (`None`)."""

    def record(count: int, app_id: str | None = "") -> None:
        where = desk.app_id if app_id == "" else app_id or ""
        for at in range(count):
            desk.do(
                lambda ctx, at=at: audit.record(
                    ctx, AuditAction.CODE_RESENT, "alice", {"n": at, "words": "é", "share": 0.1}, "Asked."
                ),
                Caller(ActorKind.ADMIN, where),
            )

    return record


@pytest.fixture
def seal(desk):
    """Seals all that waits, as the worker does; returns how many entries that were."""

    def run() -> int:
        total = 0
        while sealed := desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM)):
            total += sealed
        return total

    return run


@pytest.fixture
def check(desk, clock):
    """`check(app_id)` is the report on one chain, the shop's by default."""

    def run(chain: str = "", *anchors: Anchor) -> Report:
        chain = chain or desk.app_id
        audit_key = desk.keys.audit
        with desk.transaction() as session:
            return audit_checks.check(session, audit_key, chain, clock.now(), anchors)

    return run


@pytest.fixture
def tamper(engine):
    """`tamper("UPDATE ...")` is an attacker who may do anything to the database, triggers included."""

    def run(statement: str, **values: object) -> None:
        with engine.connect() as connection, factories.past_audit_guard(connection):
            assert connection.execute(text(statement), values).rowcount

    return run


def head(desk, chain: str = "") -> Link:
    """Where a chain ends now."""
    with desk.transaction() as session:
        return audit_chains.find(session, chain or desk.app_id).head


# --- Sealing ---------------------------------------------------------------------------------------------


def test_pii_07_entries_are_sealed_in_the_order_of_their_ids_and_hold(desk, write, seal, check):
    seal()
    before = head(desk).sequence
    write(600)
    assert desk.rows(select(AuditEntry.hash).where(AuditEntry.hash.is_(None))) == [None] * 600
    assert seal() == 600
    found = desk.rows(
        select(AuditEntry.sequence).where(AuditEntry.app_id == desk.app_id).order_by(AuditEntry.id)
    )
    assert found == list(range(1, before + 601))
    report = check()
    assert (report.faults, report.entries, report.unsealed) == ([], before + 600, 0)


def test_pii_07_each_app_has_a_chain_and_entries_of_no_app_have_their_own(desk, session, write, seal, check):
    other = factories.app(session).id
    write(3)
    write(2, other)
    write(4, None)
    seal()
    assert (head(desk, other).sequence, head(desk, INSTALLATION).sequence) == (2, 4)
    assert [check(chain).faults for chain in (desk.app_id, other, INSTALLATION)] == [[], [], []]


def test_pii_07_an_entry_that_is_seen_late_is_sealed_later(desk, session, write, seal, check):
    """On PostgreSQL, a lower id may be committed after a higher one."""
    seal()
    of = {"app_id": desk.app_id, "at": 1, "actor_kind": "system", "action": "code.resent", "details": {}}
    session.execute(insert(AuditEntry).values(id=10_001, **of))
    seal()
    session.execute(insert(AuditEntry).values(id=10_000, **of))
    seal()
    places = dict(
        desk.do(
            lambda ctx: [
                tuple(row)
                for row in ctx.session.execute(
                    select(AuditEntry.id, AuditEntry.sequence).where(AuditEntry.id >= 10_000)
                )
            ]
        )
    )
    assert places[10_000] == places[10_001] + 1
    assert check().faults == []


def test_pii_07_whoever_was_overtaken_looks_for_no_more_entries_in_that_transaction(
    desk, write, seal, check, monkeypatch
):
    """PostgreSQL locked the chain for them nonetheless: going on, two workers could wait for each other."""
    seal()
    write(1)
    write(1, None)
    with monkeypatch.context() as patch:
        patch.setattr(audit_sealing, "BATCH", 1)
        patch.setattr(audit_chains, "move", lambda *_any, **_ends: False)
        assert desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM)) == 0
        begun = select(AuditChain.id).where(AuditChain.id == INSTALLATION)
        assert desk.rows(begun) == []
    assert seal() == 2
    assert (check().faults, check(INSTALLATION).faults) == ([], [])


def test_pii_07_what_waits_for_more_than_a_minute_is_told(desk, write, seal, check, clock):
    seal()
    write(3)
    assert check().unsealed == 0
    clock.advance(61)
    assert (check().unsealed, check().faults) == (3, [])
    seal()
    assert check().unsealed == 0


def test_pii_07_a_worker_that_dies_half_way_leaves_no_gap(desk, write, seal, check):
    seal()
    before = head(desk)
    write(5)

    def seals_and_dies(ctx):
        assert audit_sealing.seal(ctx) == 5
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.do(seals_and_dies)
    assert head(desk) == before
    assert seal() == 5
    assert check().faults == []
    assert head(desk).sequence == before.sequence + 5


def test_pii_07_of_two_workers_that_read_the_same_head_one_goes_on(desk, write, seal, check):
    seal()
    with desk.transaction() as session:
        seen = audit_chains.find(session, desk.app_id)
    write(1)
    seal()
    late = Link(seen.head.sequence + 1, "f" * 64)
    assert desk.do(lambda ctx: audit_chains.move(ctx, seen, head=late)) is False
    assert check().faults == []


# --- The guard in the database ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET reason = 'Nothing.'",
        "UPDATE audit_entry SET sequence = sequence + 1000",
        "UPDATE audit_entry SET sequence = NULL, hash = NULL",
        "DELETE FROM audit_entry",
    ],
)
@pytest.mark.parametrize("is_sealed", [True, False])
def test_pii_07_the_database_itself_changes_and_removes_no_entry(engine, write, seal, statement, is_sealed):
    seal()
    write(1)
    if is_sealed:
        seal()
    with engine.connect() as connection, pytest.raises(DBAPIError, match="stay as they are"):
        connection.execute(text(statement + " WHERE id = (SELECT max(id) FROM audit_entry)"))


def test_pii_07_the_database_itself_does_not_empty_the_log(engine, write):
    # SQLite has no TRUNCATE.
    empty = "DELETE FROM" if engine.dialect.name == "sqlite" else "TRUNCATE"
    with engine.connect() as connection, pytest.raises(DBAPIError, match="stay as they are"):
        connection.execute(text(f"{empty} audit_entry"))


def test_pii_07_a_chain_goes_with_its_app(desk, session, engine, write, seal):
    other = factories.app(session).id
    write(3, other)
    seal()
    write(1, other)
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM app WHERE id = :id"), {"id": other})
    assert desk.rows(select(AuditEntry.id).where(AuditEntry.app_id == other)) == []
    assert desk.rows(select(AuditChain.id).where(AuditChain.id == other)) == []


# --- Erasing ---------------------------------------------------------------------------------------------


@pytest.fixture
def asked(desk, session, seal):
    """A user of whom a sealed entry tells with a typed reason, and `is_told()`, whether it still does."""
    user = factories.user(session, app_id=desk.app_id)
    desk.do(lambda ctx: audit.record(ctx, AuditAction.NUMBER_REVEALED, user.id, {"n": 1}, "Jo called"))
    while seal():
        pass
    told = select(AuditEntry.reason).where(AuditEntry.user_id == user.id, AuditEntry.reason.is_not(None))
    return user.id, lambda: desk.rows(told) != []


def test_pii_05_an_erasure_empties_what_entries_tell_and_the_chain_still_holds(
    desk, asked, seal, check, clock
):
    user_id, is_told = asked
    assert is_told()
    clock.advance(1)
    desk.do(lambda ctx: erasures.erase_user(ctx, user_id))
    assert not is_told()
    while seal():
        pass
    assert check().faults == []


def test_pii_07_an_entry_that_was_emptied_by_nobody_is_found_and_named(asked, tamper, check):
    user_id, _is_told = asked
    tamper("UPDATE audit_entry SET reason = NULL, details = '{}' WHERE user_id = :it", it=user_id)
    (fault,) = check().faults
    assert "was emptied, and not by an erasure" in fault


# --- Tampering -------------------------------------------------------------------------------------------


@pytest.fixture
def ten(desk, write, seal):
    """The shop's chain with ten entries more; the sequence of the first of them."""
    seal()
    write(10)
    seal()
    return head(desk).sequence - 9


@pytest.mark.parametrize(
    "change",
    [
        "reason = 'Asked!'",
        "at = at + 1",
        "action = 'code.reset'",
        "actor_kind = 'user'",
        "actor_id = 'mallory'",
        "user_id = 'alicf'",
        'details = \'{"n": 5, "words": "é", "share": 0.2}\'',
        "hash = 'f' || substr(hash, 2, 62) || 'f'",
    ],
)
def test_pii_07_one_changed_byte_is_found_and_named(ten, tamper, check, change):
    tamper(f"UPDATE audit_entry SET {change} WHERE sequence = :at", at=ten + 4)
    faults = check().faults
    assert f"entry {ten + 4} (id" in faults[0]
    assert "was changed" in faults[0]


def test_pii_07_entries_that_were_dated_back_are_not_removed_by_us_and_so_found(
    desk, ten, tamper, check, clock
):
    tamper(
        "UPDATE audit_entry SET at = 1 WHERE app_id = :app AND sequence <= :at", app=desk.app_id, at=ten + 4
    )
    until = clock.now() - 365 * DAY
    assert desk.do(lambda ctx: audit_sealing.remove(ctx, until), Caller(ActorKind.SYSTEM)) == 0
    assert check().faults


def test_pii_07_a_removed_entry_is_found_and_named(ten, tamper, check):
    tamper("DELETE FROM audit_entry WHERE sequence = :at", at=ten + 4)
    assert check().faults == [f"entry {ten + 4} is missing"]


@pytest.mark.parametrize(
    "change",
    ["reason = 'Other.'", "at = at + 1", "action = 'code.reset'", "user_id = 'alicf'", "told_hash = hash"],
)
def test_pii_07_an_entry_right_behind_a_removed_one_that_was_changed_is_found_and_named(
    ten, tamper, check, change
):
    tamper("DELETE FROM audit_entry WHERE sequence = :at", at=ten + 4)
    tamper(f"UPDATE audit_entry SET {change} WHERE sequence = :at", at=ten + 5)
    gone, changed = check().faults
    assert gone == f"entry {ten + 4} is missing"
    assert changed.startswith(f"entry {ten + 5} (id")
    assert "was changed" in changed


def test_pii_07_behind_a_removed_entry_no_other_is_put_and_no_hash_taken_away_unnamed(ten, tamper, check):
    gone = "DELETE FROM audit_entry WHERE sequence = :at"
    tamper(gone, at=ten + 4)
    tamper(gone, at=ten + 5)
    tamper("UPDATE audit_entry SET sequence = :at WHERE sequence = :from", **{"at": ten + 5, "from": ten + 7})
    assert any(f"entry {ten + 5} (id" in each and "was changed" in each for each in check().faults)
    tamper("UPDATE audit_entry SET own_hash = NULL WHERE sequence = :at", at=ten + 5)
    assert any(f"entry {ten + 5} (id" in each and "cannot be compared" in each for each in check().faults)


def test_pii_07_what_an_earlier_version_sealed_is_named_where_the_entry_before_is_gone(ten, tamper, check):
    tamper("UPDATE audit_entry SET own_hash = NULL WHERE sequence > :at", at=ten + 2)
    assert check().faults == []
    tamper("DELETE FROM audit_entry WHERE sequence = :at", at=ten + 4)
    assert [each.partition(":")[0].partition(" (")[0] for each in check().faults] == [
        f"entry {ten + 4} is missing",
        f"entry {ten + 5}",
    ]
    # What it tells can be compared nonetheless.
    tamper("UPDATE audit_entry SET reason = 'Other.' WHERE sequence = :at", at=ten + 5)
    assert "was changed" in check().faults[-1]


def test_pii_07_the_last_entry_that_was_cut_off_is_found(ten, tamper, check):
    tamper("DELETE FROM audit_entry WHERE sequence >= :at", at=ten + 9)
    assert check().faults == [f"entry {ten + 9} is missing: the newest were cut off"]


def test_pii_07_a_head_that_was_set_back_along_with_the_cut_is_found(desk, ten, tamper, check, seal, write):
    tamper("DELETE FROM audit_entry WHERE sequence >= :at", at=ten + 9)
    tamper(
        """UPDATE audit_chain SET head_sequence = :at, head_hash =
            (SELECT hash FROM audit_entry WHERE sequence = :at AND app_id = :app) WHERE id = :app""",
        at=ten + 8,
        app=desk.app_id,
    )
    assert check().faults == ["the row that says where the chain begins and ends was changed"]
    # The worker does not go on from it, or the false head would become a true one.
    write(1)
    assert seal() == 0


def test_pii_07_an_old_copy_that_was_put_back_is_found_by_the_head_outside(
    desk, session, ten, write, seal, check, tamper, clock
):
    old = session.execute(select(AuditChain.__table__).where(AuditChain.id == desk.app_id)).one()._asdict()
    write(3)
    seal()
    anchor = Anchor(desk.app_id, head(desk))
    assert check("", anchor).faults == []
    tamper("DELETE FROM audit_entry WHERE sequence > :at", at=old["head_sequence"])
    tamper(
        """UPDATE audit_chain SET head_sequence = :head_sequence, head_hash = :head_hash,
            sealed_at = :sealed_at, seal = :seal WHERE id = :id""",
        **{name: old[name] for name in ("head_sequence", "head_hash", "sealed_at", "seal", "id")},
    )
    assert check().faults == []
    assert "the newest were cut off" in check("", anchor).faults[0]
    # Written on from there, it does not come to the same end.
    clock.advance(1)
    write(3)
    seal()
    assert "is not the one that the head outside tells of" in check("", anchor).faults[0]


def test_pii_07_two_entries_that_changed_places_are_found(ten, tamper, check):
    swap = "UPDATE audit_entry SET sequence = :to WHERE sequence = :at"
    for at, to in ((ten + 2, 9_999), (ten + 3, ten + 2), (9_999, ten + 3)):
        tamper(swap, at=at, to=to)
    faults = check().faults
    assert f"entry {ten + 2} " in faults[0]
    assert f"entry {ten + 3} " in faults[1]


def test_pii_07_entries_of_two_apps_that_changed_places_are_found(
    desk, session, ten, write, seal, tamper, check
):
    other = factories.app(session).id
    write(ten + 9, other)
    seal()
    swap = "UPDATE audit_entry SET app_id = :to, sequence = :place WHERE app_id = :at AND sequence = :from_"
    at = ten + 4
    tamper(swap, at=desk.app_id, to=other, from_=at, place=9_999)
    tamper(swap, at=other, to=desk.app_id, from_=at, place=at)
    tamper(swap, at=other, to=other, from_=9_999, place=at)
    for chain in (desk.app_id, other):
        assert f"entry {at} (id" in check(chain).faults[0]


def test_pii_07_a_hash_that_was_copied_from_another_chain_is_refused(
    desk, session, ten, write, seal, tamper, check
):
    other = factories.app(session).id
    write(ten + 9, other)
    seal()
    copy = """UPDATE audit_entry SET hash = (SELECT hash FROM audit_entry AS theirs
        WHERE theirs.app_id = :other AND theirs.sequence = :at) WHERE app_id = :app AND sequence = :at"""
    tamper(copy, other=other, app=desk.app_id, at=ten + 4)
    assert f"entry {ten + 4} (id" in check().faults[0]


def test_pii_07_a_chain_under_another_key_does_not_hold(ten, desk, clock):
    with desk.transaction() as session:
        report = audit_checks.check(session, b"x" * 32, desk.app_id, clock.now())
    assert report.entries == 0
    assert "begins and ends was changed" in report.faults[0]


def test_pii_07_a_chain_whose_own_row_was_removed_is_not_begun_anew(desk, ten, tamper, check, write, seal):
    tamper("DELETE FROM audit_chain WHERE id = :app", app=desk.app_id)
    write(1)
    assert seal() == 0
    assert "begins and ends is missing" in check().faults[0]


def test_pii_07_one_broken_chain_keeps_no_other_from_being_sealed(desk, session, ten, write, seal, tamper):
    tamper("UPDATE audit_chain SET seal = :seal WHERE id = :app", seal="0" * 64, app=desk.app_id)
    write(300)
    other = factories.app(session).id
    write(2, other)
    assert seal() == 2


# --- Retention and anchors -------------------------------------------------------------------------------


def test_pii_07_what_retention_removes_leaves_a_chain_that_holds(desk, write, seal, check, clock):
    write(3)
    seal()
    old = head(desk)
    clock.advance(365 * DAY / 1000)
    write(4)
    seal()
    removed = desk.do(retention.remove_old_audit_entries, Caller(ActorKind.SYSTEM))
    assert removed == old.sequence
    report = check("", Anchor(desk.app_id, old))
    assert (report.faults, report.entries) == ([], 4)
    assert "is not the one" in check("", Anchor(desk.app_id, Link(old.sequence, "0" * 64))).faults[0]


def test_pii_07_a_removal_like_that_of_retention_by_anybody_else_is_found(desk, ten, tamper, check):
    tamper("DELETE FROM audit_entry WHERE sequence <= :at", at=ten)
    assert check().faults == [f"entries 1 to {ten} are missing"]
    tamper("UPDATE audit_chain SET base_sequence = :at WHERE id = :app", at=ten, app=desk.app_id)
    assert "begins and ends was changed" in check().faults[0]


def test_pii_04_what_is_not_sealed_yet_waits_for_its_removal(desk, write, seal, clock):
    seal()
    write(1)
    clock.advance(366 * DAY / 1000)
    desk.do(retention.remove_old_audit_entries, Caller(ActorKind.SYSTEM))
    assert len(desk.rows(select(AuditEntry.id))) == 1


def test_pii_07_the_ends_of_all_chains_are_logged_for_whoever_collects_the_log(desk, ten, write, seal):
    write(1, None)
    seal()
    logs.configure("info")
    with capture_logs() as lines:
        desk.do(audit_heads.tell)
    told = {line["app"]: (line["sequence"], line["hash"]) for line in lines if line["event"] == "audit_head"}
    assert told[desk.app_id] == (head(desk).sequence, head(desk).hash)
    assert INSTALLATION in told


def test_pii_07_entries_that_nobody_seals_make_the_job_that_tells_the_heads_fail(desk, write, seal, clock):
    seal()
    desk.do(audit_heads.tell)
    write(1)
    clock.advance(61)
    with pytest.raises(audit_heads.BrokenChains):
        desk.do(audit_heads.tell)
