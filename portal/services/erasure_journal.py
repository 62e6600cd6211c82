"""Where do erasures outlive the database? In a journal beside it: JSON lines, only ever added to (PII-05).

Every machine keeps its own in PORTAL_HOME, and copies into it what the others have erased. A database that
is lost, or restored from yesterday, takes nothing of it along.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import Connection

from portal import clock
from portal.core import erasures as lines
from portal.core.erasures import Erased, NoErasure
from portal.services import erasures

FILE: Final = "erasures.jsonl"
# Clocks of machines differ, and transactions take their time; so far back (ms) each look begins anew.
OVERLAP: Final = clock.DAY


class BrokenJournal(Exception):
    """A journal has a line that tells of no erasure; the message says which one."""


class Journal:
    """The journal in one folder, shared by all processes of a machine."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._read_to = 0
        self._newest = 0
        self._known: dict[str, int] = {}

    def catch_up(self, connection: Connection) -> int:
        """Adds the erasures of the database that are not in it yet, and returns how many.

        Raises BrokenJournal and OSError.
        """
        self._learn()
        told = erasures.found(connection, max(self._newest - OVERLAP, 0))
        if all(each.id in self._known for each in told):
            return 0
        with self._alone() as file:
            # Another process of this machine may have been first.
            self._learn()
            new = [each for each in told if each.id not in self._known]
            file.write("".join(f"{lines.write(each)}\n" for each in new).encode())
            file.flush()
            os.fsync(file.fileno())
        self._learn()
        return len(new)

    def lost(self, connection: Connection) -> list[Erased]:
        """The erasures that the database does not know any more, because it went back in time (DAT-03).

        It knew them all once: nothing comes here but from its rows. Raises BrokenJournal and OSError.
        """
        there = {each.id for each in erasures.found(connection)}
        return [each for each in read(self.path) if each.id not in there]

    def _learn(self) -> None:
        if not self.path.exists():
            self._read_to, self._known = 0, {}
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for at, line in enumerate(file):
                # The last line may be one that is being written.
                if line.endswith(b"\n"):
                    self._read_to += len(line)
                    self._note(_read(line.decode("utf-8", "replace"), at))
        oldest = self._newest - 2 * OVERLAP
        self._known = {each: at for each, at in self._known.items() if at >= oldest}

    def _note(self, erased: Erased) -> None:
        self._known[erased.id] = erased.erased_at
        self._newest = max(self._newest, erased.erased_at)

    @contextmanager
    def _alone(self) -> Iterator[BinaryIO]:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield file


def read(path: Path) -> list[Erased]:
    """The erasures in a journal, in its order; none where there is no file. Raises BrokenJournal, OSError."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return [_read(line, at) for at, line in enumerate(file) if line.strip()]


def _read(line: str, at: int) -> Erased:
    try:
        return lines.read(line)
    except NoErasure as error:
        raise BrokenJournal(f"{FILE} has a line that tells of no erasure, line {at + 1}.") from error
