"""What proves that an audit entry is as it was written? Keyed hashes, each over the one before (PII-07).

The key is outside the database, so whoever can write there cannot make a hash that fits. A hash covers the
chain and the place in it, so that none fits elsewhere.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: its number, counted from 1, and the hash that stands there, in hex."""

    sequence: int
    hash: str


# What the first entry of a chain follows upon.
START: Final = Link(0, "0" * 64)
# What is kept of no entries at all.
NOTHING_KEPT: Final = "0" * 64
# How entries of before a restart are hashed. The first form, of earlier Ringbacks, took empty ones for whole.
FIRST_FORM: Final = 1
FORM: Final = 2
_HEX: Final = 64


@dataclass(frozen=True, slots=True)
class Restart:
    """Where a chain was begun anew: the number of the entry that says so, and when (Unix ms).

    `kept` is one hash over the entries before it, as they were found then, in hex; `form` is how it was made.
    """

    sequence: int
    at: int
    kept: str
    form: int = FORM


def of_entry(key: bytes, chain: str, before: Link, facts: Mapping[str, Any]) -> Link:
    """The link of the entry with these `facts` (plain JSON values by name) that follows upon `before`."""
    sequence = before.sequence + 1
    return Link(sequence, _sealed(key, ["entry", 1, chain, sequence, before.hash, dict(facts)]))


def of_own(key: bytes, chain: str, place: Link, facts: Mapping[str, Any]) -> str:
    """The hash over an entry in its place alone, in hex: it holds also where the entry before it is gone."""
    return _sealed(key, ["own", 1, chain, place.sequence, place.hash, dict(facts)])


def of_told(key: bytes, chain: str, entry_id: int, reason: str | None, details: object) -> str:
    """The hash over what an entry tells beside the deed itself, in hex; it outlives the telling (PII-05).

    `details` are plain JSON values by name, or whatever else somebody put in their place.
    """
    return _sealed(key, ["told", 1, chain, entry_id, reason, details])


def of_chain(key: bytes, chain: str, base: Link, head: Link, at: int, restart: Restart | None) -> str:
    """The seal of a chain that begins after `base` and ends with `head`, sealed at `at` (Unix ms); in hex."""
    ends = [base.sequence, base.hash, head.sequence, head.hash, at]
    if restart is None:
        return _sealed(key, ["chain", 1, chain, *ends])
    restarted = [restart.sequence, restart.at, restart.kept]
    if restart.form == FIRST_FORM:
        return _sealed(key, ["chain", 2, chain, *ends, *restarted])
    return _sealed(key, ["chain", 3, chain, *ends, *restarted, restart.form])


def before_restart(key: bytes, chain: str, sequence: int) -> Link:
    """What an entry follows upon that begins a chain anew, where `sequence` was the last number given.

    Only whoever has the key can make it, so an entry that claims a restart cannot be forged.
    """
    return Link(sequence, _sealed(key, ["restart", 1, chain, sequence]))


def of_kept(key: bytes, chain: str, place: Link, facts: Mapping[str, Any], told: str) -> str:
    """The hash over one entry of before a restart as it lies there; `told` is the one over what it tells."""
    return _sealed(key, ["kept", FORM, chain, place.sequence, place.hash, dict(facts), told])


def of_kept_first(key: bytes, chain: str, place: Link, facts: Mapping[str, Any], told: bool) -> str:
    """The same in the first form; `told` is whether the entry tells what it told when it was sealed."""
    content = [chain, place.sequence, place.hash, facts["id"], dict(facts), told]
    return _sealed(key, ["kept", FIRST_FORM, *content])


def of_emptied(key: bytes, chain: str, facts: Mapping[str, Any], told: str) -> str:
    """The mark of an entry that is emptied by an erasure: the hash over what it told, and a seal over that.

    It fits no other entry, nor the same one with other facts, so whoever has no key can make none.
    """
    return told + _sealed(key, ["emptied", 1, chain, dict(facts), told])


def told_before(key: bytes, chain: str, facts: Mapping[str, Any], mark: str | None) -> str | None:
    """The hash over what an entry told before it got this mark; None where the mark is none of ours."""
    if mark is None:
        return None
    told = mark[:_HEX]
    is_ours = hmac.compare_digest(of_emptied(key, chain, facts, told).encode(), mark.encode())
    return told if is_ours else None


def with_kept(kept: str, more: Iterable[str], sign: int = 1) -> str:
    """The hash over a set of entries with `more` of them, or without them where `sign` is -1.

    Hashes are added up, so that entries can leave the set one by one as they grow too old.
    """
    total = int(kept, 16) + sign * sum(int(each, 16) for each in more)
    return f"{total % 2**256:064x}"


def missing(first: int, last: int) -> str:
    """The words for entries that are not there, from one number to another."""
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"


def _sealed(key: bytes, content: list[object]) -> str:
    # One spelling for each content: names sorted, no blanks, ASCII.
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, written.encode("ascii"), hashlib.sha256).hexdigest()
