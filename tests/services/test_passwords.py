"""A password is hashed slowly, beside everything else, and checked alike for somebody and for nobody."""

import os
import statistics
import sys
import threading
import time
from contextlib import contextmanager

import argon2
import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.errors import Busy
from portal.services import passwords
from portal.services.passwords import Checked, Hasher

PASSWORD = "correct horse battery staple"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="module")
def hasher() -> Hasher:
    """A hasher as a server has it."""
    return Hasher(threads=2, waiting=8)


@pytest.fixture
def gate(monkeypatch) -> threading.Event:
    """Holds every hash back until it is set; `gate.running` tells on which threads hashes wait."""
    opened, cheap = threading.Event(), CHEAP
    opened.running = []

    class Held:
        def hash(self, password):
            opened.running.append(threading.current_thread())
            assert opened.wait(timeout=20)
            return cheap.hash(password)

    monkeypatch.setattr(passwords, "_ARGON2", Held())
    monkeypatch.setattr(Hasher, "__init__", _without_nobody(Hasher.__init__, opened))
    return opened


def _without_nobody(make, opened):
    def init(self, threads, waiting):
        opened.set()
        make(self, threads, waiting)
        opened.clear()
        opened.running.clear()

    return init


def at_once(calls: list) -> tuple[list, list[threading.Thread]]:
    """Runs each call on a thread of its own; what comes back or is raised lands in the first list."""
    ends: list = []

    def run(call):
        try:
            ends.append(call())
        except Busy as refused:
            ends.append(refused)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    return ends, threads


def wait_until(true, seconds: float = 10) -> None:
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_hashes_are_argon2id_with_owasps_parameters_and_a_salt_each(hasher):
    one, other = hasher.hash(PASSWORD), hasher.hash(PASSWORD)
    assert one != other
    found = extract_parameters(one)
    assert found.type is argon2.Type.ID
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19_456, 2, 1)
    assert found.salt_len >= 16
    assert found.hash_len >= 32
    assert PASSWORD not in one


def test_the_right_password_is_right_and_needs_no_new_hash(hasher):
    assert hasher.check(hasher.hash(PASSWORD), PASSWORD) == Checked(right=True, new_hash=None)


@pytest.mark.parametrize(
    "typed", ["", PASSWORD.upper(), PASSWORD + " ", PASSWORD + "\0", "ﬁ", "\ud800", "x" * 10**5]
)
def test_any_other_password_is_wrong_and_never_an_error(hasher, password_hash, typed):
    assert hasher.check(password_hash, typed) == Checked(right=False)


@pytest.mark.parametrize("stored", ["", "hash", "$argon2id$", "!", "$2b$12$" + "x" * 53])
def test_a_stored_value_that_is_no_hash_matches_nothing(hasher, stored):
    assert hasher.check(stored, PASSWORD) == Checked(right=False)


def test_a_hash_with_older_parameters_is_right_and_comes_back_stronger(hasher):
    checked = hasher.check(CHEAP.hash(PASSWORD), PASSWORD)
    assert checked.right
    assert extract_parameters(checked.new_hash).memory_cost == 19_456
    assert hasher.check(checked.new_hash, PASSWORD) == Checked(right=True)
    assert hasher.check(CHEAP.hash(PASSWORD), "wrong") == Checked(right=False)


def test_enu_02_nobody_is_checked_with_the_same_work_as_somebody(hasher, monkeypatch, password_hash):
    verified = []
    real = passwords._ARGON2

    class Watched:
        def verify(self, stored, typed):
            verified.append(extract_parameters(stored))
            return real.verify(stored, typed)

        check_needs_rehash = real.check_needs_rehash

    monkeypatch.setattr(passwords, "_ARGON2", Watched())
    assert hasher.check(None, "wrong") == hasher.check(password_hash, "wrong") == Checked(right=False)
    assert len(verified) == 2
    assert verified[0] == verified[1]


def test_enu_02_nobody_takes_about_as_long_as_somebody(hasher, password_hash):
    taken = {None: [], password_hash: []}
    for _ in range(15):
        for stored, times in taken.items():
            start = time.thread_time(), time.perf_counter()
            hasher.check(stored, "wrong")
            times.append(time.perf_counter() - start[1])
    nobody, somebody = (statistics.median(times) for times in taken.values())
    assert 0.5 < nobody / somebody < 2


def test_nobodys_password_cannot_be_guessed(hasher):
    for typed in ("", "nobody", "None", PASSWORD, hasher._nobody):
        assert not hasher.check(None, typed).right


def test_hashes_run_on_threads_of_their_own_and_only_so_many_at_once(gate):
    hasher = Hasher(threads=2, waiting=6)
    ends, threads = at_once([lambda: hasher.hash(PASSWORD)] * 5)
    wait_until(lambda: len(gate.running) == 2)
    time.sleep(0.1)
    assert len(gate.running) == 2, "the other three wait"
    assert all(thread.name.startswith("hash") for thread in gate.running)
    assert not set(gate.running) & set(threads)
    gate.set()
    for thread in threads:
        thread.join(timeout=20)
    assert len(ends) == 5
    assert all(isinstance(end, str) for end in ends)


def test_when_too_many_wait_the_next_is_told_to_come_back_and_room_returns(gate):
    hasher = Hasher(threads=1, waiting=3)
    ends, threads = at_once([lambda: hasher.hash(PASSWORD)] * 3)
    wait_until(lambda: hasher._places._value == 0)
    with pytest.raises(Busy) as refused:
        hasher.hash(PASSWORD)
    with pytest.raises(Busy):
        hasher.check(None, PASSWORD)
    assert refused.value.retry_after >= 1
    gate.set()
    for thread in threads:
        thread.join(timeout=20)
    assert len(ends) == 3
    assert hasher.hash(PASSWORD).startswith("$argon2id$")


def test_a_hash_that_fails_gives_its_place_back(hasher, monkeypatch):
    class Broken:
        def hash(self, password):
            raise MemoryError

    monkeypatch.setattr(passwords, "_ARGON2", Broken())
    for _ in range(20):
        with pytest.raises(MemoryError):
            hasher.hash(PASSWORD)
    monkeypatch.undo()
    assert hasher.check(hasher.hash(PASSWORD), PASSWORD).right


def test_hashing_threads_step_back_behind_the_threads_that_check_codes():
    hasher = Hasher(threads=1, waiting=1)
    own, theirs = _policy(), hasher._run(_policy)
    assert (theirs == "idle") == (sys.platform == "linux"), "only Linux gives each thread its own policy"
    assert own == _policy() == "normal"


def _policy() -> str:
    """By which rule the calling thread gets its share of the processor."""
    if sys.platform != "linux":
        return "normal"
    return "idle" if os.sched_getscheduler(0) == os.SCHED_IDLE else "normal"


def test_who_waits_for_a_hash_steps_out_meanwhile():
    steps = []

    @contextmanager
    def stepped_out():
        steps.append("out")
        yield
        steps.append("in")

    hasher = Hasher(threads=1, waiting=1, while_waiting=stepped_out)
    assert hasher.check(hasher.hash(PASSWORD), PASSWORD).right
    assert steps == ["out", "in"] * 2


@settings(max_examples=15, deadline=None)
@given(password=st.text(st.characters(), max_size=60), other=st.text(st.characters(), max_size=60))
def test_a_password_matches_itself_and_no_other(hasher, password, other):
    stored = hasher.hash(password)
    assert hasher.check(stored, password).right
    assert hasher.check(stored, other).right == (password == other)
