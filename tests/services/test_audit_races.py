"""Writers, workers that seal and operators at once: one chain, each entry in it once (PII-07)."""

import pytest
from sqlalchemy import func, select, text

from portal import clock
from portal.models import ActorKind, AuditEntry
from portal.services import audit_checks, audit_sealing
from portal.services.context import Caller
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
