"""Nobody without the key empties an audit entry of before a restart; an erasure is no fault (PII-07)."""

import threading

import pytest
from sqlalchemy import select, text

from portal.clock import DAY
from portal.core import audit_seals
from portal.core.audit_seals import FIRST_FORM, NOTHING_KEPT
from portal.core.erasures import Erased
from portal.models import ActorKind, AuditAction, AuditChain, AuditEntry, ErasureKind
from portal.services import (
    audit,
    audit_chains,
    audit_checks,
    audit_entries,
    audit_restarts,
    audit_sealing,
    audit_walks,
    erasures,
    retention,
)
from portal.services.audit_reports import Report
from portal.services.context import Caller
from tests import factories

FORGE_SEAL = "UPDATE audit_chain SET seal = '{}' WHERE id = :app".format("0" * 64)
EMPTY = "UPDATE audit_entry SET reason = NULL, details = '{}' WHERE app_id = :app AND user_id = :user"
NOT_AS_FOUND = ["the entries of before the restart are not as they were found then"]
SYSTEM = Caller(ActorKind.SYSTEM)


@pytest.fixture
def user(desk, session) -> str:
    """A user of whom two sealed entries tell."""
    made = factories.user(session, app_id=desk.app_id).id
    for at in range(2):
        desk.do(
            lambda ctx, at=at: audit.record(ctx, AuditAction.CODE_RESENT, made, {"n": at}, "Asked."),
            desk.as_admin(),
        )
    seal(desk)
    return made


def seal(desk) -> None:
    while desk.do(audit_sealing.seal, SYSTEM):
        pass


@pytest.fixture
def tamper(desk, engine):
    """An attacker who may do anything to the database, triggers included."""

    def run(statement: str, **values: object) -> None:
        with engine.connect() as connection, factories.past_audit_guard(connection):
            assert connection.execute(text(statement), {"app": desk.app_id} | values).rowcount

    return run


@pytest.fixture
def check(desk, clock):
    def run() -> Report:
        with desk.transaction() as session:
            return audit_checks.check(session, desk.keys.audit, desk.app_id, clock.now())

    return run


@pytest.fixture
def restart(desk, clock, tamper):
    """The chain's row is damaged, and an operator begins the chain anew."""

    def run() -> None:
        tamper(FORGE_SEAL)
        with desk.transaction() as session:
            damage = audit_restarts.look(session, desk.keys.audit, desk.app_id, clock.now())
        clock.advance(1)
        desk.do(lambda ctx: audit_restarts.begin_anew(ctx, damage, "A script did it."), desk.as_admin())
        clock.advance(1)

    return run


@pytest.fixture
def restart_in_first_form(desk, restart):
    """The same, as an earlier Ringback did it, whose hash took entries that are empty for whole."""

    def run() -> None:
        restart()
        desk.do(hash_in_first_form)

    def hash_in_first_form(ctx) -> None:
        chain = audit_chains.find(ctx.session, desk.app_id)
        old = [
            row
            for row in ctx.session.execute(audit_walks.entries_of(desk.app_id))
            if row.sequence < chain.restart.sequence
        ]
        hashes = [audit_entries.kept_of(ctx.keys.audit, chain.id, row, FIRST_FORM) for row in old]
        kept = audit_seals.with_kept(NOTHING_KEPT, hashes)
        former = audit_seals.Restart(chain.restart.sequence, chain.restart.at, kept, FIRST_FORM)
        assert audit_chains.move(ctx, chain, restart=former)

    return run


def erase(desk, user_id: str) -> None:
    desk.do(lambda ctx: erasures.erase_user(ctx, user_id))
    seal(desk)


def test_pii_07_an_entry_of_before_a_restart_that_somebody_empties_after_it_is_found(
    user, tamper, restart, check
):
    restart()
    assert check().faults == []
    tamper(EMPTY, user=user)
    assert check().faults == NOT_AS_FOUND


def test_pii_07_an_entry_of_after_a_restart_that_somebody_empties_is_found_whoever_is_erased(
    desk, session, user, tamper, restart, check
):
    restart()
    users = [factories.user(session, app_id=desk.app_id).id for _ in range(3)]
    for each in users:
        desk.do(lambda ctx, each=each: audit.record(ctx, AuditAction.CODE_RESENT, each, {"n": 1}, "Asked."))
    seal(desk)
    tamper(EMPTY, user=users[0])
    for each in users[1:]:
        erase(desk, each)
    assert ["was emptied, and not by an erasure" in each for each in check().faults] == [True]


def test_pii_07_nor_does_the_erasure_of_another_user_cover_it(desk, session, user, tamper, restart, check):
    restart()
    tamper(EMPTY, user=user)
    erase(desk, factories.user(session, app_id=desk.app_id).id)
    assert check().faults == NOT_AS_FOUND


def test_pii_07_nor_does_a_later_erasure_of_the_same_user(desk, user, tamper, restart, check):
    restart()
    tamper(EMPTY, user=user)
    erase(desk, user)
    assert check().faults == NOT_AS_FOUND


@pytest.mark.parametrize("form", ["restart", "restart_in_first_form"])
def test_pii_05_an_erasure_after_a_restart_is_no_fault(desk, user, form, request, check):
    request.getfixturevalue(form)()
    erase(desk, user)
    report = check()
    assert (report.faults, report.before, len(report.restarts)) == ([], [], 1)
    told = select(AuditEntry.reason).where(AuditEntry.user_id == user, AuditEntry.reason.is_not(None))
    assert desk.rows(told) == []


@pytest.mark.parametrize("form", ["restart", "restart_in_first_form"])
@pytest.mark.parametrize(
    "change",
    ["reason = 'Nothing.'", "at = at + 1", "details = '[]'", "reason = NULL, details = '{}'"],
)
def test_pii_05_the_erasure_of_a_user_whose_entry_was_tampered_with_before_is_no_fault(
    desk, user, tamper, form, request, check, change
):
    tamper(f"UPDATE audit_entry SET {change} WHERE user_id = :user AND app_id = :app", user=user)
    request.getfixturevalue(form)()
    before = check()
    assert (before.faults, bool(before.before)) == ([], True)
    erase(desk, user)
    assert check().faults == []


def test_pii_07_a_mark_is_no_use_on_another_entry_or_with_other_facts(
    desk, session, user, tamper, restart, check
):
    """Whoever has their own user erased gets marks, and gives them to entries of somebody else."""
    restart()
    mallory = factories.user(session, app_id=desk.app_id).id
    theirs = "UPDATE audit_entry SET user_id = :to WHERE app_id = :app AND user_id = :from_"
    tamper(theirs, from_=user, to=mallory)
    erase(desk, mallory)
    tamper(theirs + " AND action = 'code.resent'", from_=mallory, to=user)
    assert desk.rows(select(AuditEntry.emptied).where(AuditEntry.user_id == user))[0] is not None
    assert check().faults == NOT_AS_FOUND


def test_pii_07_a_mark_that_is_taken_away_or_made_up_is_found(desk, user, tamper, restart, check):
    restart()
    erase(desk, user)
    mark = "UPDATE audit_entry SET emptied = {} WHERE app_id = :app AND user_id = :user"
    for forged in ("NULL", "told_hash || told_hash", "'x'", "'é'"):
        tamper(mark.format(forged), user=user)
        assert check().faults == NOT_AS_FOUND


def test_pii_07_what_an_erasure_emptied_and_somebody_filled_again_is_found(
    desk, user, tamper, restart, check
):
    restart()
    erase(desk, user)
    fill = "UPDATE audit_entry SET reason = 'Other.' WHERE app_id = :app AND user_id = :user AND sequence < 5"
    tamper(fill, user=user)
    assert check().faults == NOT_AS_FOUND


def test_pii_07_an_erasure_hides_nothing_that_was_wrong_about_an_entry(desk, user, tamper, check):
    tamper("UPDATE audit_entry SET reason = 'No.' WHERE app_id = :app AND user_id = :user", user=user)
    assert len(check().faults) == 2
    erase(desk, user)
    assert all("was changed before its user was erased" in each for each in check().faults)
    assert len(check().faults) == 2


def test_pii_05_a_chain_whose_row_was_tampered_with_is_neither_repaired_nor_in_the_way_of_an_erasure(
    desk, session, user, tamper, restart, check
):
    restart()
    tamper(FORGE_SEAL)
    found = select(AuditChain.__table__).where(AuditChain.id == desk.app_id)
    before = session.execute(found).one()
    erase(desk, user)
    assert session.execute(found).one() == before
    assert check().faults == ["the row that says where the chain begins and ends was changed"]


def test_pii_05_an_erasure_that_is_done_once_more_in_a_restored_copy_is_no_fault(
    desk, user, clock, restart, check
):
    restart()
    told = Erased("f" * 32, desk.app_id, ErasureKind.USER, user, (), clock.now())
    with desk.transaction() as session:
        assert erasures.replay(session.connection(), [told], desk.keys) == [told]
        erasures.note(session.connection(), [told])
    assert len(desk.rows(select(AuditEntry.emptied).where(AuditEntry.emptied.is_not(None)))) == 2
    assert check().faults == []


def test_pii_05_an_erasure_waits_for_whoever_seals_an_entry_and_marks_it_as_sealed(desk, session, check):
    made = factories.user(session, app_id=desk.app_id).id
    desk.do(lambda ctx: audit.record(ctx, AuditAction.CODE_RESENT, made, {"n": 1}, "Asked."))
    erasing = threading.Thread(target=lambda: desk.do(lambda ctx: erasures.erase_user(ctx, made)))

    def seal_while_somebody_erases(ctx) -> None:
        assert audit_sealing.seal(ctx)
        erasing.start()
        erasing.join(0.5)
        assert erasing.is_alive()

    desk.do(seal_while_somebody_erases, SYSTEM)
    erasing.join()
    of_user = audit_walks.entries_of(desk.app_id).where(AuditEntry.user_id == made)
    (entry,) = desk.do(lambda ctx: ctx.session.execute(of_user).all())
    assert audit_entries.told_before(desk.keys.audit, desk.app_id, entry) == entry.told_hash
    assert check().faults == []


def test_pii_05_an_entry_that_is_emptied_before_it_is_sealed_holds(desk, session, check):
    made = factories.user(session, app_id=desk.app_id).id
    desk.do(lambda ctx: audit.record(ctx, AuditAction.CODE_RESENT, made, {"n": 1}, "Asked."))
    erase(desk, made)
    assert check().faults == []


@pytest.mark.parametrize("form", ["restart", "restart_in_first_form"])
def test_pii_04_emptied_entries_of_before_a_restart_go_for_their_age(desk, user, form, request, check, clock):
    request.getfixturevalue(form)()
    erase(desk, user)
    clock.advance(200 * DAY / 1000)
    desk.do(lambda ctx: audit.record(ctx, AuditAction.CODE_RESENT, "bob"), desk.as_admin())
    seal(desk)
    clock.advance(166 * DAY / 1000)
    assert desk.do(retention.remove_old_audit_entries, SYSTEM) > 3
    report = check()
    assert (report.faults, report.restarts, report.entries) == ([], [], 1)


def test_pii_07_a_restart_of_an_earlier_ringback_goes_on_to_be_verified_and_cannot_be_told_to_be_newer(
    user, tamper, restart_in_first_form, check
):
    restart_in_first_form()
    assert check().faults == []
    tamper("UPDATE audit_chain SET kept_form = 2 WHERE id = :app")
    assert "begins and ends was changed" in check().faults[0]


def test_pii_07_a_newer_restart_cannot_be_told_to_be_of_an_earlier_ringback(user, tamper, restart, check):
    restart()
    tamper("UPDATE audit_chain SET kept_form = NULL WHERE id = :app")
    assert "begins and ends was changed" in check().faults[0]
