"""Which writes need no answer? On PostgreSQL they go to the server together, in one statement (a bundle).

A journey to PostgreSQL costs more than most of the writes that it carries. What nobody asks the outcome of,
an audit entry or an SMS that is put down, waits in the bundle of its transaction until the next statement or
the commit, so whoever reads afterwards sees it, and whoever rolls back is rid of it.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BindParameter, Connection, Insert, Select, Update, bindparam, literal, select
from sqlalchemy.sql.visitors import replacement_traverse

OPTION = "ringback_bundle"
Write = Insert | Update
_Values = Mapping[str, Any]


class Bundle:
    """The writes of one transaction that have yet to go. No two of one table: their order would be lost."""

    def __init__(self) -> None:
        self._writes: list[tuple[Write, _Values]] = []

    def add(self, connection: Connection, write: Write, values: _Values) -> None:
        """Takes on a write with its values, columns and bound parameters alike, as `execute` takes them."""
        if any(waiting.table is write.table for waiting, _values in self._writes):
            self.send(connection)
        self._writes.append((write, values))

    def send(self, connection: Connection) -> None:
        """Sends what waits, if anything does. Raises what the database says to it."""
        if not self._writes:
            return
        # Emptied first, because sending is itself a statement, before which the bundle is sent.
        writes, self._writes = self._writes, []
        if len(writes) == 1:
            connection.execute(*writes[0])
            return
        together = _together(tuple((write, tuple(values)) for write, values in writes))
        connection.execute(together, _renamed(writes))


def of(connection: Connection) -> Bundle | None:
    """The bundle of the transaction on a connection; None where each write goes by itself."""
    bundle: Bundle | None = connection.get_execution_options().get(OPTION)
    return bundle


@lru_cache(maxsize=256)
def _together(writes: tuple[tuple[Write, tuple[str, ...]], ...]) -> Select[Any]:
    """One statement that carries all of `writes`, whose parameters are told apart by their place."""
    parts = [_part(at, write, names).cte(f"write_{at}") for at, (write, names) in enumerate(writes)]
    return select(literal(1)).add_cte(*parts)


def _part(at: int, write: Write, names: tuple[str, ...]) -> Write:
    columns = write.table.c
    bound = {name: bindparam(_name(at, name), type_=columns[name].type) for name in names if name in columns}
    filled = write.values(bound) if bound else write

    def rename(element: Any, **_options: object) -> BindParameter[Any] | None:
        if isinstance(element, BindParameter) and element.required and element.key in names:
            return bindparam(_name(at, element.key), type_=element.type)
        return None

    return cast("Write", replacement_traverse(filled, {}, rename))


def _renamed(writes: list[tuple[Write, _Values]]) -> dict[str, Any]:
    return {
        _name(at, name): value for at, (_write, values) in enumerate(writes) for name, value in values.items()
    }


def _name(at: int, name: str) -> str:
    return f"w{at}_{name}"
