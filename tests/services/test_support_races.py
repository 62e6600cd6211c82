"""Support and the user at the same moment: one of them is first, and nothing is half done."""

import pytest
from sqlalchemy import delete, func, select

from portal.core import deed_stamps
from portal.models import ActorKind, AuditAction, AuditEntry, BearerToken, NumberTaken, PhoneNumberLimit
from portal.services import support_facts, tokens
from tests import factories
from tests.services.conftest import Desk
from tests.services.racing import race

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"


@pytest.fixture
def desk(transaction, keys) -> Desk:
    """The desk of the other tests under the real clock, which the other processes share."""
    return Desk(transaction, keys)


@pytest.fixture
def changing(desk) -> str:
    """A user whose second number waits for its code."""
    alice = desk.verified("alice", FIRST)
    desk.change(alice, SECOND)
    return alice


def stamp(desk: Desk, user_id: str) -> str:
    return desk.do(lambda ctx: deed_stamps.stamp(support_facts.of(ctx, user_id)))


def recorded(desk: Desk, *actions: AuditAction) -> int:
    wanted = select(func.count()).where(AuditEntry.app_id == desk.app_id, AuditEntry.action.in_(actions))
    return desk.do(lambda ctx: ctx.session.scalar(wanted))


@pytest.mark.parametrize("processes", [1, 4])
def test_two_supporters_who_do_opposite_deeds_at_once_do_one(desk, settings, changing, processes):
    seen = stamp(desk, changing)
    deeds = [("help_user", deed, changing, seen) for deed in ("cancel-change", "mark-verified")]
    endings = race(settings, desk.app_id, deeds * 8, processes)

    assert endings == {"done": 1, "Overtaken": 15}
    number = desk.number(changing)
    assert number in ((FIRST, True, None), (SECOND, True, None))
    cancelled = recorded(desk, AuditAction.NUMBER_CHANGE_CANCELLED)
    assert (cancelled, recorded(desk, AuditAction.NUMBER_MARKED_VERIFIED)) == (
        (1, 0) if number[0] == FIRST else (0, 1)
    )


def test_of_two_deeds_that_were_confirmed_at_once_one_is_done(desk, settings):
    alice = desk.verified("alice", FIRST)
    seen = stamp(desk, alice)
    calls = [("help_user", "disable", alice, seen)] * 10 + [("help_user", "free-number", alice, seen)] * 10
    endings = race(settings, desk.app_id, calls, 4)

    assert endings == {"done": 1, "Overtaken": 19}
    assert desk.user(alice).disabled is (desk.number(alice)[0] == FIRST)


@pytest.mark.parametrize("processes", [1, 4])
def test_a_right_code_and_an_owner_who_vouches_verify_the_number_once(desk, settings, changing, processes):
    seen, code = stamp(desk, changing), desk.code(changing)
    calls = [("help_user", "mark-verified", changing, seen), ("confirm", changing, code)] * 8
    endings = race(settings, desk.app_id, calls, processes)

    assert set(endings) <= {"done", "Overtaken", "NothingToVerify"}
    assert endings["done"] == 1
    assert desk.number(changing) == (SECOND, True, None)
    both = (AuditAction.NUMBER_MARKED_VERIFIED, AuditAction.NUMBER_VERIFIED)
    # One more: Alice proved her first number.
    assert recorded(desk, *both) == 2


def swapping(desk: Desk, count: int) -> list[list[tuple[str, str]]]:
    """Pairs of users with their numbers, each of whom holds the number that the other one waits for."""
    desk.set(number_taken=NumberTaken.MOVE)
    pairs = []
    for place in range(count):
        numbers = [f"+8190{10_000_000 + 2 * place + each}" for each in (0, 1)]
        both = [desk.verified(f"swapper{place}{each}", number) for each, number in enumerate(numbers)]
        # Waiting until their numbers may be texted again would take a minute of the real clock.
        desk.do(lambda ctx: ctx.session.execute(delete(PhoneNumberLimit)))
        for user_id, number in zip(both, reversed(numbers), strict=True):
            desk.change(user_id, number)
        pairs.append(list(zip(both, numbers, strict=True)))
    return pairs


@pytest.mark.parametrize("processes", [1, 4])
def test_two_supporters_who_mark_each_others_numbers_wait_in_line(desk, settings, processes):
    pairs = swapping(desk, 24)
    calls = [("help_user", "mark-verified", user, stamp(desk, user)) for pair in pairs for user, _ in pair]
    endings = race(settings, desk.app_id, calls, processes)

    # The first takes the number of the other, of whom the second supporter saw what is no longer so.
    assert endings == {"done": 24, "Overtaken": 24}
    for (one, first), (other, second) in pairs:
        ends = desk.number(one), desk.number(other)
        assert ends in (
            ((second, True, None), (None, False, first)),
            ((None, False, second), (first, True, None)),
        )


@pytest.mark.parametrize("processes", [1, 4])
def test_two_users_who_prove_each_others_numbers_at_once_swap_them(desk, settings, processes):
    pairs = swapping(desk, 24)
    calls = [("confirm", user, desk.code(user)) for pair in pairs for user, _ in pair]
    endings = race(settings, desk.app_id, calls, processes)

    assert endings == {"done": 48}
    for (one, first), (other, second) in pairs:
        assert (desk.number(one), desk.number(other)) == ((second, True, None), (first, True, None))


@pytest.mark.parametrize("processes", [1, 4])
def test_a_right_code_and_a_cancellation_leave_one_number_or_the_other(desk, settings, changing, processes):
    seen, code = stamp(desk, changing), desk.code(changing)
    calls = [("help_user", "cancel-change", changing, seen), ("confirm", changing, code)] * 8
    endings = race(settings, desk.app_id, calls, processes)

    assert set(endings) <= {"done", "Overtaken", "NothingToVerify"}
    assert endings["done"] == 1
    is_cancelled = recorded(desk, AuditAction.NUMBER_CHANGE_CANCELLED) == 1
    assert desk.number(changing) == (FIRST if is_cancelled else SECOND, True, None)


@pytest.mark.parametrize("processes", [1, 4])
def test_a_number_freed_while_its_holder_changes_it_is_free(desk, settings, processes):
    alice = desk.verified("alice", FIRST)
    seen = stamp(desk, alice)
    calls = [("help_user", "free-number", alice, seen), ("change", alice, SECOND)] * 6
    endings = race(settings, desk.app_id, calls, processes)

    # The change goes through before or after; what was shown may be overtaken by it, and is not done then.
    assert set(endings) <= {"done", "Overtaken", "TooSoon"}
    number, verified, pending = desk.number(alice)
    assert pending == SECOND
    freed = recorded(desk, AuditAction.NUMBER_FREED)
    assert (number, verified) == ((None, False) if freed else (FIRST, True))
    assert freed <= 1
    desk.confirm(alice, desk.code(alice))
    assert desk.number(alice) == (SECOND, True, None)


def test_freeing_without_a_stamp_never_loses_the_change(desk, settings):
    alice = desk.verified("alice", FIRST)
    calls = [("help_user", "free-number", alice), ("change", alice, SECOND)] * 6
    endings = race(settings, desk.app_id, calls, 4)

    assert set(endings) <= {"done", "Overtaken", "TooSoon", "NotSupported"}
    assert desk.number(alice)[2] == SECOND
    assert desk.attempts(alice)[-1].state == "open"


def test_no_token_is_issued_past_the_end_of_all_tokens(desk, settings):
    alice = desk.verified("alice", FIRST)
    desk.do(lambda ctx: tokens.issue_to_user(ctx, alice))
    calls = [("log_in", alice)] * 12 + [("help_user", "disable", alice)]
    endings = race(settings, desk.app_id, calls, 4)

    assert set(endings) <= {"done", "InvalidGrant"}
    wanted = select(BearerToken.token_hash).where(BearerToken.user_id == alice)
    assert desk.user(alice).disabled
    assert desk.rows(wanted) == []


def test_abu_07_support_and_the_user_who_ask_at_once_send_one_sms(desk, settings):
    alice = desk.register("alice", None)
    desk.change(alice, SECOND)
    calls = [("help_user", "resend", alice), ("resend", alice)] * 8
    endings = race(settings, desk.app_id, calls, 4)

    assert endings == {"TooSoon": 16}
    assert len(desk.messages(SECOND)) == 1


@pytest.mark.parametrize("processes", [1, 4])
def test_ten_08_forty_reveals_at_once_show_twenty(desk, settings, session, processes):
    alice, account = desk.verified("alice", FIRST), factories.account(session).id
    endings = race(settings, desk.app_id, [("reveal", alice, account)] * 40, processes)

    assert endings == {"done": 20, "TooSoon": 20}
    wanted = select(func.count()).where(
        AuditEntry.actor_kind == ActorKind.ACCOUNT, AuditEntry.action == AuditAction.NUMBER_REVEALED
    )
    assert desk.do(lambda ctx: ctx.session.scalar(wanted)) == 20
