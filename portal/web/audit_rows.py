"""Which audit entries share a row? Look-ups by one person that follow each other; each stays an entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from portal.models import AuditAction
from portal.services.audit_log import Told


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its newest entry, and those before it that it stands for as well, newest first."""

    entry: Told
    older: tuple[Told, ...] = ()

    @property
    def count(self) -> int:
        """How many entries the row stands for."""
        return 1 + len(self.older)


def of(entries: Iterable[Told]) -> list[Row]:
    """The entries of a page, in their order, as rows."""
    groups = (tuple(group) for _, group in groupby(entries, _what_it_repeats))
    return [Row(group[0], group[1:]) for group in groups]


def _what_it_repeats(entry: Told) -> str | int:
    # A look-up names no user and has no reason, so nothing of it is lost behind a count.
    repeats = entry.action == AuditAction.NUMBER_LOOKED_UP and entry.account is not None
    return entry.account if repeats and entry.account else entry.id
