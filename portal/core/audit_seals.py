"""What proves that an audit entry is as it was written? Keyed hashes, each over the one before (PII-07).

The key is outside the database, so whoever can write there cannot make a hash that fits. A hash covers the
chain and the place in it, so that none fits elsewhere.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: its number, counted from 1, and the hash that stands there, in hex."""

    sequence: int
    hash: str


# What the first entry of a chain follows upon.
START: Final = Link(0, "0" * 64)


def of_entry(key: bytes, chain: str, before: Link, facts: Mapping[str, Any]) -> Link:
    """The link of the entry with these `facts` (plain JSON values by name) that follows upon `before`."""
    sequence = before.sequence + 1
    return Link(sequence, _sealed(key, ["entry", 1, chain, sequence, before.hash, dict(facts)]))


def of_told(key: bytes, chain: str, entry_id: int, reason: str | None, details: Mapping[str, Any]) -> str:
    """The hash over what an entry tells beside the deed itself, in hex; it outlives the telling (PII-05)."""
    return _sealed(key, ["told", 1, chain, entry_id, reason, dict(details)])


def of_chain(key: bytes, chain: str, base: Link, head: Link, at: int) -> str:
    """The seal of a chain that begins after `base` and ends with `head`, sealed at `at` (Unix ms); in hex."""
    return _sealed(key, ["chain", 1, chain, base.sequence, base.hash, head.sequence, head.hash, at])


def _sealed(key: bytes, content: list[object]) -> str:
    # One spelling for each content: names sorted, no blanks, ASCII.
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, written.encode("ascii"), hashlib.sha256).hexdigest()
