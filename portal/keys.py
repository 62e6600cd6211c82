"""Which keys does this server hold? Kept in a file beside the database, never in it (OTP-09, OPS-05)."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

FILE = "keys.json"


class WrongKeys(Exception):
    """The key file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Keys:
    """`session` signs portal forms; `codes` maps a version to the key that codes are derived with."""

    session: str
    codes: dict[int, bytes]

    @property
    def code_version(self) -> int:
        """The version that new verifications use: the highest."""
        return max(self.codes)


def load(home: Path) -> Keys:
    """The keys in `home`, made at the first start. Raises WrongKeys when the file is damaged."""
    path = home / FILE
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongKeys(f"PORTAL_HOME is {home}: {error.strerror}. Name a folder.") from error
    if not path.exists():
        _make(path)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        codes = {int(version): bytes.fromhex(key) for version, key in stored["codes"].items()}
        keys = Keys(session=_text(stored["session"]), codes=codes)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise WrongKeys(f"{FILE} in PORTAL_HOME cannot be read: restore it from your backup.") from error
    if not keys.codes or min(len(key) for key in keys.codes.values()) < 32 or len(keys.session) < 32:
        raise WrongKeys(f"{FILE} in PORTAL_HOME holds a key that is too short.")
    return keys


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError("a key must be a text")
    return found


def _make(path: Path) -> None:
    stored = {"session": secrets.token_hex(32), "codes": {"1": secrets.token_hex(32)}}
    draft = path.with_name(f"{FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(stored, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    try:
        # Two processes may start at once: a link fails where a rename would replace the other's keys.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
