"""Is this the password? argon2id on threads of its own, so that hashing never delays checking codes."""

import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import Busy
from portal.spare_memory import SpareMemory

# OWASP's parameters for argon2id: 19 MiB, two passes, one lane.
_ARGON2 = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a password was right, and its new hash where the stored one used older parameters."""

    right: bool
    new_hash: str | None = None


class Hasher:
    """Hashes passwords on a few low-priority threads; refuses work when too much of it waits."""

    def __init__(
        self,
        threads: int,
        waiting: int,
        while_waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`threads` hashes run at once; at most `waiting` calls may be under way, the rest get Busy.

        Each caller waits for its hash inside a `while_waiting()`.
        """
        self._while_waiting = while_waiting
        self._pool = ThreadPoolExecutor(threads, "hash", initializer=_step_back)
        self._places = threading.BoundedSemaphore(waiting)
        # Each hash takes 19 MiB, which would stay with the process once the storm is over.
        self._memory = SpareMemory()
        self._under_way = 0
        self._counting = threading.Lock()
        self._told: Callable[[int], None] = _tell_nobody
        # A check against nobody costs what a check against somebody costs (ENU-02).
        self._nobody = _ARGON2.hash(secrets.token_hex())

    def watch(self, tell: Callable[[int], None]) -> None:
        """Lets `tell` know how many calls are under way, whenever that changes."""
        self._told = tell

    def hash(self, password: str) -> str:
        """The argon2id hash (PHC string) of a new password. Raises Busy under too much load."""
        return self._run(lambda: _ARGON2.hash(_as_bytes(password)))

    def check(self, stored: str | None, password: str) -> Checked:
        """Whether `password` belongs to `stored`; None (no such user) is wrong and takes as long.

        Raises Busy under too much load.
        """
        return self._run(lambda: self._check(stored, password))

    def _run(self, work: Callable[[], Result]) -> Result:
        if not self._places.acquire(blocking=False):
            raise Busy("Too many passwords are being checked. Try again in a moment.")
        self._count(1)
        self._memory.take()
        try:
            hashing = self._pool.submit(work)
            with self._while_waiting():
                return hashing.result()
        finally:
            self._memory.leave()
            self._count(-1)
            self._places.release()

    def _count(self, more: int) -> None:
        with self._counting:
            self._under_way += more
            self._told(self._under_way)

    def _check(self, stored: str | None, password: str) -> Checked:
        try:
            _ARGON2.verify(stored or self._nobody, _as_bytes(password))
        except (VerificationError, InvalidHashError):
            return Checked(right=False)
        if stored is None:
            return Checked(right=False)
        outdated = _ARGON2.check_needs_rehash(stored)
        return Checked(right=True, new_hash=_ARGON2.hash(_as_bytes(password)) if outdated else None)


def _tell_nobody(_under_way: int) -> None:
    """Nobody watches."""


def _as_bytes(password: str) -> bytes:
    # Half of a surrogate pair can be typed in JSON; it is a wrong password like any other, not a crash.
    return password.encode("utf-8", "surrogatepass")


def _step_back() -> None:
    # Hashes run on what the rest leaves over, so that a storm of logins does not delay the checking of codes
    # (measured: at a niceness of 10 or 19 a waking thread still waits for a hash's time slice). Linux alone
    # gives each thread its own policy; elsewhere this would slow the whole process down.
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
