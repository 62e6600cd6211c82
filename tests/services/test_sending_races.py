"""Do codes, numbers, countries and wordings hold while everybody changes them at once?"""

import random

import pytest
from sqlalchemy import text

from tests.services.conftest import Desk
from tests.services.racing import race

NUMBERS = [f"+8190123456{n:02}" for n in range(6)]
KNOWN = {
    "done",
    "TooSoon",
    "NothingToVerify",
    "WrongCode",
    "CodeExpired",
    "AlreadyExists",
    "BadInput",
    "Overtaken",
}


@pytest.fixture
def desk(transaction, keys) -> Desk:
    return Desk(transaction, keys)


TWO_OPEN = """SELECT user_id FROM verification WHERE state = 'open' GROUP BY user_id HAVING count(*) > 1"""
UNCOUNTED = """SELECT v.id FROM verification v LEFT JOIN message m
    ON m.verification_id = v.id AND m.purpose = 'verification'
    GROUP BY v.id, v.sends HAVING v.sends <> count(m.serial)"""
OVER = "SELECT id FROM verification WHERE sends > sends_allowed"


def sound(engine) -> None:
    """Nobody has two open attempts, and each SMS is counted at its attempt, up to what is allowed."""
    with engine.connect() as connection:
        wrong = [connection.scalars(text(each)).all() for each in (TWO_OPEN, UNCOUNTED, OVER)]
    assert wrong == [[], [], []]


@pytest.mark.parametrize("processes", [1, 4])
def test_otp_03_everything_at_once_leaves_one_open_attempt(desk, settings, engine, processes):
    alice = desk.verified("alice", NUMBERS[0])
    desk.change(alice, NUMBERS[1])
    desk.rest()
    calls = [("resend", alice)] * 30
    calls += [("change", alice, NUMBERS[n % 6]) for n in range(12)]
    calls += [("confirm", alice, desk.code(alice))] * 3 + [("confirm", alice, desk.wrong_code(alice))] * 6
    calls += [("cancel", alice)] * 4
    random.Random(1).shuffle(calls)
    endings = race(settings, desk.app_id, calls, processes)
    assert set(endings) <= KNOWN, endings
    sound(engine)


@pytest.mark.parametrize("processes", [1, 4])
def test_abu_01_thirty_resends_alone_send_one(desk, settings, engine, processes):
    alice = desk.register("alice", NUMBERS[0])
    desk.rest()
    endings = race(settings, desk.app_id, [("resend", alice)] * 30, processes)
    assert endings == {"done": 1, "TooSoon": 29}
    sound(engine)


@pytest.mark.parametrize("processes", [1, 4])
def test_abu_07_several_users_on_one_number_never_break_a_limit(desk, settings, engine, processes):
    people = []
    for n in range(6):
        people.append(desk.register(f"user{n}", NUMBERS[0]))
        desk.rest()
    calls = []
    for person in people:
        calls += [("resend", person)] * 5
        calls += [("change", person, NUMBERS[1 + len(calls) % 2])] * 2
        calls += [("confirm", person, desk.code(person))]
    random.Random(1).shuffle(calls)
    endings = race(settings, desk.app_id, calls, processes)
    assert set(endings) <= KNOWN, endings
    sound(engine)


@pytest.mark.parametrize("processes", [1, 4])
def test_owners_who_save_and_users_who_sign_up_wait_in_no_ring(desk, settings, engine, processes):
    people = [desk.register(f"user{n}", f"+8190111100{n:02}") for n in range(10)]
    desk.rest()
    calls = [("register", f"new{n}", f"+8190222200{n:02}") for n in range(30)]
    calls += [("resend", person) for person in people]
    calls += [("change", person, f"+8190333300{n:02}") for n, person in enumerate(people)]
    calls += [("save_template", ("en", "ja", "de")[n % 3], "{code} is " + str(n)) for n in range(15)]
    calls += [("open_countries", "JP", ("DE", "FR", "US")[n % 3]) for n in range(15)]
    calls += [("rename_app", f"Shop {n}") for n in range(10)]
    random.Random(1).shuffle(calls)
    endings = race(settings, desk.app_id, calls, processes)
    assert set(endings) <= {"done", "TooSoon"}, endings
    sound(engine)
