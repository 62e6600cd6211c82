"""How is a number known where it must not stand? By an HMAC of its E.164 form (PII-06).

Each use has a key of its own, made from the server's hashing key, so that hashes of two tables tell nobody
that they are of one number. A number has another hash in each app.
"""

import hmac
from enum import StrEnum
from functools import lru_cache
from typing import Final

from portal.keys import Keys

# What hashes of an earlier Ringback were made with; they stand without a version.
FIRST: Final = 0


class Use(StrEnum):
    """What a hash is looked up for."""

    ERASURES = "erasures"
    LIMITS = "number limits"
    TRIES = "tries"


# Made once for each key, since every code that is sent or checked asks for it.
@lru_cache(maxsize=32)
def key_for(use: Use, key: bytes) -> bytes:
    """The key of one use, out of a hashing key."""
    return hmac.digest(key, f"ringback {use}".encode(), "sha256")


def number_hash(key: bytes, app_id: str, e164: str) -> str:
    """What stands for a number of an app: 64 hex digits."""
    return hmac.digest(key, f"{app_id}:{e164}".encode(), "sha256").hex()


def limit_hashes(keys: Keys, app_id: str, e164: str) -> list[tuple[int, str]]:
    """What limits know a number by: each version with its hash, the oldest first."""
    return [
        (version, number_hash(key_for(Use.LIMITS, key), app_id, e164)) for version, key in keys.hashing.all()
    ]


def erasure_keys(keys: Keys) -> dict[int, bytes]:
    """Each version to the key that hides the numbers of erasures, that of an earlier Ringback included."""
    found = {version: key_for(Use.ERASURES, key) for version, key in keys.hashing.all()}
    return {FIRST: key_for(Use.ERASURES, keys.backups)} | found


def erasure_hash(keys: Keys, app_id: str, e164: str) -> str:
    """What an erasure keeps of a number: the newest version, a colon and the hash."""
    versions = erasure_keys(keys)
    newest = max(versions)
    return f"{newest}:{number_hash(versions[newest], app_id, e164)}"


def version_of(hidden: str) -> int:
    """The version of the key that such a hash was made with."""
    version, colon, _hash = hidden.partition(":")
    return int(version) if colon and version.isdecimal() else FIRST


def hidden_by(versions: dict[int, bytes], version: int, app_id: str, e164: str) -> str:
    """What an erasure keeps of a number by the key of `version`, spelled as it was then."""
    found = number_hash(versions[version], app_id, e164)
    return found if version == FIRST else f"{version}:{found}"
