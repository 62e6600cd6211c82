"""Writers, workers that seal and operators at once: one chain, each entry in it once (PII-07)."""

import pytest
from sqlalchemy import func, select, text

from portal import clock
from portal.models import INSTALLATION, ActorKind, AuditAction, AuditEntry, Erasure
from portal.services import audit, audit_checks, audit_sealing
from portal.services.audit_reports import Report
from portal.services.context import Caller
from tests import factories
from tests.services.conftest import Desk
from tests.services.racing import race


@pytest.fixture
def desk(transaction, keys) -> Desk:
    """The desk of the other tests under the real clock, which the other processes share."""
    return Desk(transaction, keys)


@pytest.mark.parametrize("processes", [1, 4])
def test_pii_07_fifty_writers_and_six_workers_at_once_leave_one_chain_that_holds(desk, settings, processes):
    calls = [("write_entry", f"user{place}") for place in range(50)] + [("seal_entries",)] * 6
    # A worker comes after every eighth writer.
    calls = [call for place in range(8) for call in calls[place::8]]
    endings = race(settings, desk.app_id, calls, processes)
    assert endings == {"done": 56}

    while desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM)):
        pass
    with desk.transaction() as session:
        report = audit_checks.check(session, desk.keys.audit, desk.app_id, clock.now())
        written = session.scalar(select(func.count()).where(AuditEntry.app_id == desk.app_id))
    assert (report.faults, report.unsealed) == ([], 0)
    assert report.entries == written


@pytest.mark.parametrize("damage", ["UPDATE audit_chain SET head_sequence = 99", "DELETE FROM audit_chain"])
@pytest.mark.parametrize("processes", [1, 4])
def test_pii_07_of_many_operators_at_once_one_begins_a_broken_chain_anew(
    desk, settings, engine, processes, damage
):
    desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM))
    with engine.connect() as connection:
        connection.execute(text(damage))
    calls = [("restart_chain",), ("seal_entries",), ("write_entry", "alice")] * 8
    endings = race(settings, desk.app_id, calls, processes)
    assert endings.total() == 24
    assert endings["done"] == 8 + 8 + 1
    assert endings["Overtaken"] + endings["NothingToVerify"] == 7

    while desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM)):
        pass
    with desk.transaction() as session:
        report = audit_checks.check(session, desk.keys.audit, desk.app_id, clock.now())
        written = session.scalar(select(func.count()).where(AuditEntry.app_id == desk.app_id))
    assert (report.faults, report.unsealed, len(report.restarts)) == ([], 0, 1)
    assert report.entries == written


CHANGED = "UPDATE audit_entry SET at = at + 1 WHERE app_id = :app AND sequence = 1"


def checked(desk, chain_id: str) -> Report:
    with desk.transaction() as session:
        return audit_checks.check(session, desk.keys.audit, chain_id, clock.now())


@pytest.mark.parametrize("damage", [CHANGED, "UPDATE audit_chain SET head_sequence = 99 WHERE id = :app"])
@pytest.mark.parametrize("processes", [1, 4])
def test_pii_07_a_chain_that_is_begun_anew_under_load_loses_nothing(
    desk, settings, engine, session, processes, damage
):
    """Where only an entry was changed workers go on sealing, and an operator may come too late."""
    users = [factories.user(session, app_id=desk.app_id).id for _ in range(8)]
    for user in users:
        desk.do(lambda ctx, user=user: audit.record(ctx, AuditAction.CODE_RESENT, user, {"n": 1}, "Asked."))
    desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM))
    with engine.connect() as connection, factories.past_audit_guard(connection):
        connection.execute(text(damage), {"app": desk.app_id})
    found = checked(desk, desk.app_id).faults
    load = [[("write_entry", user), ("sign_in", user), ("erase", user), ("seal_entries",)] for user in users]
    calls = [call for each in load for call in (*each, ("write_entry", "bob"), ("restart_chain",))]
    endings = race(settings, desk.app_id, calls, processes)

    assert set(endings) <= {"done", "Overtaken", "NothingToVerify"}, endings
    assert endings.total() == 48
    begun = endings["done"] - 5 * 8
    assert begun in (0, 1)
    assert endings["Overtaken"] + endings["NothingToVerify"] == 8 - begun
    while desk.do(audit_sealing.seal, Caller(ActorKind.SYSTEM)):
        pass
    report, count = checked(desk, desk.app_id), select(func.count())
    assert (report.unsealed, len(report.restarts)) == (0, begun)
    # Where nobody was in time, the damage is still what it was, and can be looked at once more.
    assert report.faults == ([] if begun else found)
    assert checked(desk, INSTALLATION).faults == []
    written = count.where(AuditEntry.app_id == desk.app_id, AuditEntry.action == AuditAction.CODE_RESENT)
    assert desk.rows(written) == [8 + 2 * 8]
    assert desk.rows(count.where(AuditEntry.action == AuditAction.SIGNED_IN)) == [8]
    assert desk.rows(select(func.count(Erasure.id))) == [8]
    told = AuditEntry.action == AuditAction.CODE_RESENT, AuditEntry.reason.is_not(None)
    assert desk.rows(count.where(*told)) == [0]
