"""Does a whole number cost a reason, leave a trace, and run out? (TEN-08)"""

import json
import re

import pytest
from sqlalchemy import select

from portal.core.limits import HOUR
from portal.core.reasons import Reason
from portal.errors import BadInput, NotFound, NotSupported, TooSoon
from portal.models import AuditAction, AuditEntry
from portal.services import reveals
from portal.services.context import Caller
from portal.services.reveals import Revealed
from tests.services.conftest import Desk

FIRST, SECOND = "+819012345678", "+818087654321"
WHY = "The carrier asks for it."


@pytest.fixture
def bob(desk) -> Caller:
    """Somebody of the desk."""
    return desk.owner("bob@example.com")


@pytest.fixture
def alice(desk) -> str:
    """A user with a verified number."""
    return desk.verified("alice", FIRST)


def reveal(desk: Desk, caller: Caller, user_id: str, reason: str = WHY) -> Revealed:
    return desk.do(lambda ctx: reveals.reveal(ctx, user_id, reason), caller)


def entries(desk: Desk) -> list[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.action == AuditAction.NUMBER_REVEALED)
    return desk.rows(wanted.order_by(AuditEntry.id))


def test_a_reason_gets_the_current_and_the_pending_number(desk, bob, alice, clock):
    clock.advance(60)
    desk.change(alice, SECOND)

    assert reveal(desk, bob, alice) == Revealed(FIRST, SECOND)


def test_a_change_that_lapsed_is_not_shown(desk, bob, alice, clock):
    clock.advance(60)
    desk.change(alice, SECOND)
    clock.advance(24 * 3600)

    assert reveal(desk, bob, alice) == Revealed(FIRST, None)


def test_the_entry_says_who_looked_at_whom_when_and_why_and_holds_no_number(desk, bob, alice, clock):
    clock.advance(60)
    desk.change(alice, SECOND)
    reveal(desk, bob, alice, f"  {WHY} ")
    [entry] = entries(desk)

    assert (entry.actor_id, entry.user_id, entry.at, entry.reason) == (bob.id, alice, clock.now(), WHY)
    assert entry.details == {
        "shown": {"phone_number": "+81 ••• •••• 5678", "pending_phone_number": "+81 ••• •••• 4321"}
    }
    assert not re.search(r"\d{5}", json.dumps(entry.details, ensure_ascii=False))


@pytest.mark.parametrize("reason", ["", "no", "x" * 301, "two\nlines", f"is it {FIRST}"])
def test_without_a_reason_that_can_be_kept_there_is_no_number_and_no_entry(desk, bob, alice, reason):
    with pytest.raises(BadInput) as refused:
        reveal(desk, bob, alice, reason)

    assert refused.value.field == "reason"
    assert entries(desk) == []


def test_a_user_without_a_number_costs_nothing(desk, bob):
    nobody = desk.register("nobody", None)
    with pytest.raises(NotSupported):
        reveal(desk, bob, nobody)

    assert entries(desk) == []


def test_the_twenty_first_in_an_hour_waits_for_the_first_to_be_an_hour_old(desk, bob, alice, clock):
    first = clock.now()
    for _ in range(20):
        reveal(desk, bob, alice)
        clock.advance(60)
    with pytest.raises(TooSoon) as refused:
        reveal(desk, bob, alice)

    assert refused.value.reason is Reason.REVEAL_HOURLY_LIMIT
    assert refused.value.next_allowed_at == first + HOUR
    assert len(entries(desk)) == 20
    clock.at = first + HOUR
    assert reveal(desk, bob, alice) == Revealed(FIRST, None)
    with pytest.raises(TooSoon):
        reveal(desk, bob, alice)


def test_the_cap_is_each_persons_own_and_counts_over_all_their_apps(desk, bob, alice, transaction, keys):
    other = Desk(transaction, keys, clock=desk.clock)
    dora = other.verified("dora", FIRST)
    elsewhere = Caller(bob.kind, other.app_id, bob.id)
    for _ in range(10):
        reveal(desk, bob, alice)
        reveal(other, elsewhere, dora)
    for where, caller, user_id in ((desk, bob, alice), (other, elsewhere, dora)):
        with pytest.raises(TooSoon):
            reveal(where, caller, user_id)

    assert reveal(desk, desk.owner("eve@example.com"), alice) == Revealed(FIRST, None)


def test_ten_02_a_user_of_another_app_is_not_there(desk, alice, transaction, keys):
    other = Desk(transaction, keys, clock=desk.clock)
    with pytest.raises(NotFound):
        reveal(other, other.owner("charlie@example.com"), alice)

    assert entries(desk) == []
