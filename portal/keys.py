"""Which keys does this server hold? Kept in a file beside the database, never in it (OTP-09, OPS-05)."""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from portal.key_versions import HashingKeys, SealingKeys
from portal.placeholder_secrets import FEWEST_DIFFERENT, is_placeholder

FILE = "keys.json"
# What AES-256 takes.
_SEALING_BYTES = 32
_HASHING_BYTES = 32
# The kinds of keys that are added beside the old one, and taken away once nothing needs them.
_VERSIONED = {"sealing": _SEALING_BYTES, "hashing": _HASHING_BYTES}

_Stored = dict[str, object]


class WrongKeys(Exception):
    """The key file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Keys:
    """`session` signs portal forms; `codes` maps a version to the key that codes are derived with.

    `sealing` maps a version to the key that credentials are sealed with; with `hashing` numbers and addresses
    are hashed; `receipts` makes the addresses that providers send receipts to, `backups` seals backups,
    `audit` the chains of the audit log.
    """

    session: str = field(repr=False)
    codes: dict[int, bytes] = field(repr=False)
    sealing: dict[int, bytes] = field(repr=False)
    hashing: HashingKeys = field(repr=False)
    receipts: bytes = field(repr=False)
    backups: bytes = field(repr=False)
    audit: bytes = field(repr=False)

    @property
    def code_version(self) -> int:
        """The version that new verifications use: the highest."""
        return max(self.codes)


def load(home: Path, *, refuses_placeholders: bool = False) -> Keys:
    """The keys in `home`, made at the first start, and completed when the file is of an earlier Ringback.

    Raises WrongKeys when the file is damaged, and, where they are refused, for keys nobody drew at random.
    """
    path = home / FILE
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongKeys(f"PORTAL_HOME is {home}: {error.strerror}. Name a folder.") from error
    if not path.exists():
        _make(path)
    keys = _read(path)
    if not all((keys.sealing, keys.hashing.all(), keys.receipts, keys.backups, keys.audit)):
        _change(path, _complete)
        keys = _read(path)
    if refuses_placeholders and _has_placeholder(keys):
        raise WrongKeys(f"{FILE} in PORTAL_HOME holds a placeholder, not a random key. Let Ringback make it.")
    return keys


def require(home: Path) -> Keys:
    """The same for whoever must not make any, because the right ones are elsewhere. Raises WrongKeys."""
    if not (home / FILE).exists():
        raise WrongKeys(f"There is no {FILE} in {home.resolve()}: set PORTAL_HOME to where it is.")
    return load(home)


def add_key(home: Path, kind: str) -> int:
    """Adds a `sealing` or `hashing` key to the file in `home`; returns its version. Others stay (OPS-05)."""
    load(home)
    added = 0

    def add(stored: _Stored) -> None:
        nonlocal added
        found = _kept(stored, kind)
        added = max(map(int, found)) + 1
        found[str(added)] = secrets.token_hex(_VERSIONED[kind])

    _change(home / FILE, add)
    return added


def remove_keys(home: Path, kind: str, versions: Collection[int]) -> None:
    """Takes `sealing` or `hashing` keys out of the file in `home`, but never the newest one."""

    def remove(stored: _Stored) -> None:
        found = _kept(stored, kind)
        newest = str(max(map(int, found)))
        gone = {str(version) for version in versions} - {newest}
        stored[kind] = {version: key for version, key in found.items() if version not in gone}

    _change(home / FILE, remove)


def _kept(stored: _Stored, kind: str) -> dict[str, str]:
    found = stored[kind]
    assert isinstance(found, dict)
    return found


def _read(path: Path) -> Keys:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        keys = Keys(
            session=_text(stored["session"]),
            codes=_versions(stored["codes"]),
            sealing=SealingKeys(
                path, _versions(stored.get("sealing", {})), lambda: dict.copy(_read(path).sealing)
            ),
            hashing=HashingKeys(
                path, _versions(stored.get("hashing", {})), lambda: dict(_read(path).hashing.all())
            ),
            receipts=bytes.fromhex(stored.get("receipts", "")),
            backups=bytes.fromhex(stored.get("backups", "")),
            audit=bytes.fromhex(stored.get("audit", "")),
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise WrongKeys(f"{FILE} in PORTAL_HOME cannot be read: restore it from your backup.") from error
    if not keys.codes or min(len(key) for key in keys.codes.values()) < 32 or len(keys.session) < 32:
        which = "session" if len(keys.session) < 32 else "codes"
        raise WrongKeys(f"{FILE} in PORTAL_HOME holds a key that is too short: {which}.")
    if {len(key) for key in keys.sealing.values()} - {_SEALING_BYTES} or not _are_whole(keys):
        raise WrongKeys(f"{FILE} in PORTAL_HOME holds a key of the wrong length.")
    return keys


def _has_placeholder(keys: Keys) -> bool:
    """Whether some key is the same few bytes again and again, or a text out of an example (OPS-06)."""
    found = (*keys.codes.values(), *keys.sealing.values(), *_hashing(keys), keys.receipts, keys.backups)
    is_repeated = any(len(set(key)) < FEWEST_DIFFERENT for key in found if key)
    return is_repeated or is_placeholder(keys.session)


def _are_whole(keys: Keys) -> bool:
    # One that is not there yet is made at the next start.
    return all(len(key) >= 32 for key in (keys.receipts, keys.backups, keys.audit) if key) and all(
        len(key) >= _HASHING_BYTES for key in _hashing(keys)
    )


def _hashing(keys: Keys) -> list[bytes]:
    return [key for _version, key in keys.hashing.all()]


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError("a key must be a text")
    return found


def _versions(found: dict[str, str]) -> dict[int, bytes]:
    return {int(version): bytes.fromhex(key) for version, key in found.items()}


def _complete(stored: _Stored) -> None:
    for kind, size in _VERSIONED.items():
        if not stored.get(kind):
            stored[kind] = {"1": secrets.token_hex(size)}
    for name in ("receipts", "backups", "audit"):
        if not stored.get(name):
            stored[name] = secrets.token_hex(32)


def _make(path: Path) -> None:
    stored: _Stored = {"session": secrets.token_hex(32), "codes": {"1": secrets.token_hex(32)}}
    _complete(stored)
    draft = _draft(path, stored)
    try:
        # Two processes may start at once: a link fails where a rename would replace the other's keys.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _change(path: Path, change: Callable[[_Stored], None]) -> None:
    """Changes the file in one step: whoever reads it meanwhile finds the old keys or the new, both whole."""
    with _alone(path.parent):
        stored = json.loads(path.read_text(encoding="utf-8"))
        change(stored)
        _draft(path, stored).replace(path)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One process at a time; the lock ends with its process, so that a crash leaves none behind."""
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft(path: Path, stored: _Stored) -> Path:
    draft = path.with_name(f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(stored, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    return draft
