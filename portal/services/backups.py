"""What goes into a backup, and how does it come back? Rows as lines, in one form for both databases (DAT-04).

The first line says what the backup is; each table has a line with its columns, then a line a row; the last
line counts. Sessions, tokens and what lives for moments are left out, so a restored copy has none (DAT-05).
"""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
    inspect,
    literal,
    select,
)
from sqlalchemy.types import TypeEngine

from portal.models import Base

FORMAT = 1
BATCH = 500
LEFT_OUT = frozenset(
    {
        "account_session",
        "alarm",
        "bearer_token",
        "database_timeline",
        "idempotency_key",
        "periodic_job",
        "quarantine",
        "unmatched_receipt",
        "unreadable_receipt",
        "worker_beat",
    }
)
_TYPES: dict[str, TypeEngine[Any]] = {
    "bool": Boolean(),
    "bytes": LargeBinary(),
    "int": BigInteger(),
    "json": JSON(),
    "text": Text(),
}


class NoBackup(Exception):
    """These lines are not those of a whole backup; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Label:
    """What the first line says: the schema of the rows, and when (Unix ms) they were as they are."""

    schema: str
    at: int


def tables() -> list[Table]:
    """The tables that a backup holds, those that others point at first."""
    return [each for each in Base.metadata.sorted_tables if each.name not in LEFT_OUT]


def write(connection: Connection, schema: str, now: int) -> Iterator[bytes]:
    """The lines of a backup at `now` (Unix ms), out of one transaction that sees one moment."""
    yield _line({"ringback": FORMAT, "schema": schema, "at": now})
    counts = {}
    for table in tables():
        yield _line({"table": table.name, "columns": {each.name: _kind(each.type) for each in table.columns}})
        counts[table.name] = 0
        rows = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)
        for row in connection.execute(rows):
            counts[table.name] += 1
            yield _line([_told(value) for value in row])
    yield _line({"end": counts})


def label(lines: Iterator[bytes]) -> Label:
    """The first line. Raises NoBackup."""
    first = _read(next(lines, b""))
    if not isinstance(first, dict) or first.get("ringback") != FORMAT:
        raise NoBackup("This backup is of a form that this Ringback does not know.")
    return Label(str(first["schema"]), int(first["at"]))


def count(lines: Iterable[bytes]) -> dict[str, int]:
    """How many rows of each table there are after the first line. Raises NoBackup unless that is right."""
    return _walk(lines, _skip)


def load(connection: Connection, lines: Iterable[bytes]) -> dict[str, int]:
    """Puts the rows after the first line into empty tables, and counts them. Raises NoBackup.

    The tables are those of the backup, whose schema may be older than this Ringback's.
    """
    return _walk(lines, lambda table, rows: _put(connection, table, rows))


def is_empty(connection: Connection) -> bool:
    """Whether no table that a backup holds has a row. The schema may be older than this Ringback's."""
    some = (select(literal(1)).select_from(table).limit(1) for table in _there(connection))
    return all(connection.scalar(each) is None for each in some)


def go_on_counting(connection: Connection) -> None:
    """Lets PostgreSQL number new rows after the restored ones; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in _there(connection):
        for column in table.primary_key.columns:
            if isinstance(column.type, Integer):
                connection.exec_driver_sql(
                    f"""SELECT setval(pg_get_serial_sequence('"{table.name}"', '{column.name}'), highest)
                    FROM (SELECT max("{column.name}") AS highest FROM "{table.name}") AS it
                    WHERE highest IS NOT NULL
                    AND pg_get_serial_sequence('"{table.name}"', '{column.name}') IS NOT NULL"""  # noqa: S608 - names of our own tables
                )


def _there(connection: Connection) -> list[Table]:
    names = set(inspect(connection).get_table_names())
    return [table for table in tables() if table.name in names]


def _walk(lines: Iterable[bytes], take: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    table: Table | None = None
    rows: list[list[Any]] = []
    for line in lines:
        found = _read(line)
        if isinstance(found, list) and table is not None:
            rows.append(found)
            counts[table.name] += 1
        if table is not None and rows and (len(rows) == BATCH or isinstance(found, dict)):
            take(table, rows)
            rows = []
        if isinstance(found, dict) and "table" in found:
            table = _table(found)
            counts[table.name] = 0
        elif isinstance(found, dict):
            if found.get("end") != counts:
                raise NoBackup("This backup does not hold as many rows as it says.")
            return counts
    raise NoBackup("This backup has no end.")


def _skip(_table: Table, _rows: list[list[Any]]) -> None:
    """What is only counted is put nowhere."""


def _put(connection: Connection, table: Table, rows: list[list[Any]]) -> None:
    names = [each.name for each in table.columns]
    is_bytes = [isinstance(each.type, LargeBinary) for each in table.columns]
    connection.execute(
        insert(table),
        [
            {
                name: base64.b64decode(value) if coded and value is not None else value
                for name, coded, value in zip(names, is_bytes, row, strict=True)
            }
            for row in rows
        ],
    )


def _table(found: dict[str, Any]) -> Table:
    columns = [Column(name, _TYPES[kind]) for name, kind in found["columns"].items()]
    return Table(found["table"], MetaData(), *columns)


def _kind(of: TypeEngine[Any]) -> str:
    if isinstance(of, Boolean):
        return "bool"
    if isinstance(of, Integer):
        return "int"
    if isinstance(of, JSON):
        return "json"
    return "bytes" if isinstance(of, LargeBinary) else "text"


def _told(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _line(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise NoBackup("This backup has a line that cannot be read.") from error
