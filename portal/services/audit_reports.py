"""What was found of a chain of audit entries, and how is it told? (PII-07)"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row


@dataclass(frozen=True, slots=True)
class Begun:
    """An entry that began the chain anew: its number, when (Unix ms), why, and what had been found."""

    sequence: int
    at: int
    reason: str
    found: str


@dataclass(slots=True)
class Report:
    """What was found of one chain: how many entries hold, what is wrong, and how many wait for too long.

    Where it was begun anew, `before` is what is wrong with what was there before, and what is said about
    heads outside that are from then.
    """

    chain: str
    entries: int = 0
    faults: list[str] = field(default_factory=list)
    unsealed: int = 0
    restarts: list[Begun] = field(default_factory=list)
    before: list[str] = field(default_factory=list)


def begun(row: Row[*tuple[Any, ...]]) -> Begun:
    """What an entry that holds says of the restart that it is."""
    return Begun(row.sequence, row.at, row.reason or "", str(row.details.get("found", "")))
