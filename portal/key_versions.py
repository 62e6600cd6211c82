"""Which versions of a key are there now? Another process may have added one (OPS-05)."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

# Reads the versions out of the file as it is now; raises WrongKeys.
Read = Callable[[], Mapping[int, bytes]]


class SealingKeys(dict[int, bytes]):
    """A version to the key that values in rows are sealed with.

    A version that another process added since is looked up in the file, so that nobody must be started again:
    when a value needs it, and when the newest is asked for.
    """

    def __init__(self, path: Path, found: Mapping[int, bytes], read: Read) -> None:
        super().__init__(found)
        self._path, self._read, self._seen = path, read, _changed_at(path)

    def __missing__(self, version: int) -> bytes:
        """The key of a version that was not there at the start. Raises KeyError and WrongKeys."""
        self.update(self._read())
        if version not in self:
            raise KeyError(version)
        return self[version]

    def __iter__(self) -> Iterator[int]:
        """The versions, those that were added since included. Raises WrongKeys."""
        changed_at = _changed_at(self._path)
        if changed_at not in (None, self._seen):
            self._seen = changed_at
            self.update(self._read())
        return super().__iter__()


class HashingKeys:
    """The keys that numbers and addresses are hashed with where only a hash may stand (PII-06).

    While a rotation is under way there are two versions. Each call sees those of the file at that moment, the
    ones that were taken away no more; threads share one state, which is replaced and never changed.
    """

    def __init__(self, path: Path, found: Mapping[int, bytes], read: Read) -> None:
        self._path, self._read = path, read
        self._state = (_changed_at(path), tuple(sorted(found.items())))

    def all(self) -> tuple[tuple[int, bytes], ...]:
        """Each version with its key, the oldest first. Raises WrongKeys."""
        seen, found = self._state
        changed_at = _changed_at(self._path)
        if changed_at is None or changed_at == seen:
            return found
        # What is read is as new as the time that is kept, or newer; then it is read once more.
        self._state = (changed_at, tuple(sorted(self._read().items())))
        return self._state[1]

    @property
    def newest(self) -> int:
        """The version that new hashes are made with. Raises WrongKeys."""
        return self.all()[-1][0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HashingKeys) and self.all() == other.all()

    __hash__ = None  # type: ignore[assignment]


def _changed_at(path: Path) -> tuple[int, int] | None:
    """What tells one state of the file from the next; None where there is no file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - three times as fast, on the way of every code
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
