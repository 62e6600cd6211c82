"""Everybody at once: codes, guesses, sends and numbers are counted once, over threads and processes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.errors import UserDisabled
from portal.services import users, verifications
from tests.services.conftest import Desk
from tests.services.racing import race

FIRST, SECOND, THIRD = "+819012345678", "+819087654321", "+818011112222"


@pytest.fixture
def desk(transaction, keys) -> Desk:
    """The desk of the other tests under the real clock, which the other processes share."""
    return Desk(transaction, keys)


@pytest.mark.parametrize("processes", [1, 4])
def test_otp_03_fifty_right_codes_at_once_give_one_success(desk, settings, processes):
    alice = desk.register("alice")
    endings = race(settings, desk.app_id, [("confirm", alice, desk.code(alice))] * 50, processes)
    assert endings == {"done": 1, "NothingToVerify": 49}
    assert desk.number(alice) == (FIRST, True, None)


@pytest.mark.parametrize("processes", [1, 4])
def test_otp_04_sixty_wrong_codes_at_once_give_five_evaluated_guesses(desk, settings, processes):
    alice = desk.register("alice")
    endings = race(settings, desk.app_id, [("confirm", alice, desk.wrong_code(alice))] * 60, processes)
    assert endings == {"WrongCode": 5, "TooSoon": 55}
    assert desk.attempts(alice)[-1].guesses == 5
    race_for_the_right_one = race(settings, desk.app_id, [("confirm", alice, desk.code(alice))], 1)
    assert race_for_the_right_one == {"TooSoon": 1}


def test_otp_05_guesses_of_many_users_at_one_number_end_at_twenty(desk, settings, monkeypatch, clock):
    people = []
    for place in range(6):
        people.append(desk.register(f"user{place}", FIRST))
        clock.advance(60)
    monkeypatch.undo()
    desk.do(lambda ctx: extend(ctx))
    calls = [("confirm", person, desk.wrong_code(person)) for person in people for _ in range(6)]
    endings = race(settings, desk.app_id, calls, 4)
    assert endings["WrongCode"] == 20
    assert endings["WrongCode"] + endings["TooSoon"] == 36


def extend(ctx) -> None:
    """Lets codes that were made under the standing clock live on under the real one."""
    from sqlalchemy import update

    from portal.models import Verification

    ctx.session.execute(update(Verification).values(code_expires_at=ctx.now + 600_000))


def test_abu_07_a_hundred_sign_ups_for_one_number_at_once_send_one_sms(desk, settings):
    calls = [("register", f"user{place}", FIRST) for place in range(100)]
    endings = race(settings, desk.app_id, calls, 4)
    assert endings == {"done": 1, "TooSoon": 99}
    assert len(desk.messages(FIRST)) == 1


def test_abu_07_changes_and_resends_at_once_send_one_sms(desk, settings):
    people = [desk.register(f"user{place}", None) for place in range(10)]
    calls = [("change", person, SECOND) for person in people for _ in range(3)]
    endings = race(settings, desk.app_id, calls + [("resend", people[0])] * 10, 4)
    assert endings["done"] == 1
    assert len(desk.messages(SECOND)) == 1


def test_otp_16_two_users_proving_one_number_at_once_leave_one_owner(desk, settings, clock, monkeypatch):
    alice, bob = desk.verified("alice", SECOND), desk.verified("bob", THIRD)
    for person in (alice, bob):
        clock.advance(60)
        desk.change(person, FIRST)
    monkeypatch.undo()
    desk.do(lambda ctx: extend(ctx))
    desk.do(lambda ctx: extend_pending(ctx))
    calls = [("confirm", person, desk.code(person)) for person in (alice, bob) for _ in range(10)]
    endings = race(settings, desk.app_id, calls, 4)
    assert endings == {"done": 1, "NothingToVerify": 19}
    assert sorted(desk.number(person)[0] == FIRST for person in (alice, bob)) == [False, True]


def extend_pending(ctx) -> None:
    """Lets pending numbers that were made under the standing clock live on under the real one."""
    from sqlalchemy import update

    from portal.models import User

    wait = User.pending_phone_number.is_not(None)
    ctx.session.execute(update(User).where(wait).values(pending_until=ctx.now + 600_000))


def test_otp_16_one_user_changing_to_many_numbers_at_once_proves_one_of_them(desk, settings):
    alice = desk.verified("alice", FIRST)
    numbers = [f"+8180111122{place:02d}" for place in range(20)]
    endings = race(settings, desk.app_id, [("change", alice, number) for number in numbers], 4)
    assert set(endings) <= {"done", "TooSoon"}


@pytest.mark.parametrize("database", ["postgresql"])
def test_a_confirmation_that_waits_for_a_suspension_verifies_nobody(desk):
    """On SQLite one writes after the other, and sees what the other wrote."""
    alice = desk.register("alice")
    code = desk.code(alice)
    is_held, may_go = threading.Event(), threading.Event()

    def suspend(ctx) -> None:
        users.set_disabled(ctx, alice, True)
        ctx.session.flush()
        is_held.set()
        assert may_go.wait(10)

    def confirm() -> None:
        with pytest.raises(UserDisabled):
            desk.do(lambda ctx: verifications.confirm(ctx, alice, code), desk.as_admin())

    with ThreadPoolExecutor(2) as pool:
        suspending = pool.submit(desk.do, suspend, desk.as_admin())
        assert is_held.wait(10)
        confirming = pool.submit(confirm)
        with pytest.raises(TimeoutError):
            confirming.result(timeout=0.7)
        may_go.set()
        suspending.result(timeout=10)
        confirming.result(timeout=10)
    assert desk.number(alice)[1] is False
