"""Which writes need no answer? On PostgreSQL they go to the server together, in one statement (a bundle).

A journey to PostgreSQL costs more than most of the writes that it carries. What nobody asks the outcome of,
an audit entry or an SMS that is put down, waits in the bundle of its transaction until the next statement or
the commit, so whoever reads afterwards sees it, and whoever rolls back is rid of it. A write that must have
happened brings the refusal that is raised where it has not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Select,
    Update,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.visitors import replacement_traverse

from portal.errors import Refusal

OPTION = "ringback_bundle"
Write = Insert | Update
_Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A write with its values, columns and bound parameters alike, as `execute` takes them.

    `or_else` is raised where it has changed no row; such a write must return something of each row.
    """

    write: Write
    values: _Values
    or_else: Refusal | None = None

    def refuse_undone(self, changed: int) -> None:
        """Raises `or_else`, if there is one, where `changed` is 0."""
        if self.or_else is not None and not changed:
            raise self.or_else


class Bundle:
    """The writes of one transaction that have yet to go. No two of one table: their order would be lost."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []

    def add(self, connection: Connection, one: Waiting) -> None:
        """Takes on a write."""
        if any(each.write.table is one.write.table for each in self._waiting):
            self.send(connection)
        self._waiting.append(one)

    def send(self, connection: Connection) -> None:
        """Sends what waits, if anything does. Raises what the database says to it, and `or_else`."""
        if not self._waiting:
            return
        # Emptied first, because sending is itself a statement, before which the bundle is sent.
        sent, self._waiting = self._waiting, []
        if len(sent) == 1:
            send(connection, sent[0])
            return
        together = _together(
            tuple((each.write, tuple(each.values), each.or_else is not None) for each in sent)
        )
        counted = connection.execute(together, _renamed(sent)).one()
        for each, changed in zip(sent, counted, strict=True):
            each.refuse_undone(changed)


def send(connection: Connection, one: Waiting) -> None:
    """Sends one write by itself. Raises as Bundle.send does."""
    done = connection.execute(one.write, dict(one.values))
    if one.or_else is not None:
        one.refuse_undone(len(done.all()))


def of(connection: Connection) -> Bundle | None:
    """The bundle of the transaction on a connection; None where each write goes by itself."""
    bundle: Bundle | None = connection.get_execution_options().get(OPTION)
    return bundle


@lru_cache(maxsize=256)
def _together(writes: tuple[tuple[Write, tuple[str, ...], bool], ...]) -> Select[Any]:
    """One statement that carries all of `writes`, whose parameters are told apart by their place.

    It gives how many rows each has changed; 0 for those whose number nobody asks for.
    """
    parts = [_part(at, write, names).cte(f"write_{at}") for at, (write, names, _asked) in enumerate(writes)]
    counts = [
        select(func.count()).select_from(part).scalar_subquery() if is_asked else literal_column("0")
        for part, (_write, _names, is_asked) in zip(parts, writes, strict=True)
    ]
    return select(*counts).add_cte(*parts)


def _part(at: int, write: Write, names: tuple[str, ...]) -> Write:
    columns = write.table.c
    bound = {name: bindparam(_name(at, name), type_=columns[name].type) for name in names if name in columns}
    filled = write.values(bound) if bound else write

    def rename(element: Any, **_options: object) -> BindParameter[Any] | None:
        if isinstance(element, BindParameter) and element.required and element.key in names:
            return bindparam(_name(at, element.key), type_=element.type)
        return None

    return cast("Write", replacement_traverse(filled, {}, rename))


def _renamed(sent: list[Waiting]) -> dict[str, Any]:
    return {_name(at, name): value for at, each in enumerate(sent) for name, value in each.values.items()}


def _name(at: int, name: str) -> str:
    return f"w{at}_{name}"
