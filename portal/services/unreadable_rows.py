"""What if a row holds what Ringback never writes? That is no database out of reach."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, starmap
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, Row, Select, cast, func
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

# SQLite takes anything for a number, for a text, and for JSON; both databases take JSON nested without end.
_OF_DATA = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, DataError)
_NO_TEXT = "Could not decode to UTF-8"


_Row = Row[*tuple[Any, ...]]


class Unreadable(Exception):
    """A row holds what Ringback never writes."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that holds what Ringback never writes, by its ID."""

    id: int


@contextmanager
def told_apart() -> Iterator[None]:
    """Raises Unreadable for what a row's content leads to. Trouble with the database itself goes through."""
    try:
        yield
    except (*_OF_DATA, OperationalError) as error:
        if isinstance(error, OperationalError) and not _is_of_text(error):
            raise
        raise Unreadable from error


def rows(
    session: Session | Connection,
    wanted: Select[*tuple[Any, ...]],
    row_id: ColumnElement[int],
    is_ours: Callable[[_Row], bool],
) -> list[_Row | Unread]:
    """The rows that `wanted` selects, each in its place; those that cannot be read, by their IDs.

    `row_id` is the table's primary key, in which SQLite too takes nothing but numbers. `is_ours` tells of a
    row that was read whether Ringback may have written it.
    """
    try:
        with told_apart():
            found: list[_Row | Unread] = list(session.execute(wanted).all())
    except Unreadable:
        ids = session.scalars(wanted.with_only_columns(row_id)).all()
        found = [_row(session, wanted, row_id == each) or Unread(each) for each in ids]
    return [each if isinstance(each, Unread) or is_ours(each) else Unread(each.id) for each in found]


def _row(
    session: Session | Connection, wanted: Select[*tuple[Any, ...]], its: ColumnElement[bool]
) -> _Row | None:
    try:
        with told_apart():
            return session.execute(wanted.where(its)).one_or_none()
    except Unreadable:
        return None


def is_in_hex(text: str) -> bool:
    """Whether `texts` gave something in hex for it was no text; no ID or name of ours looks like that."""
    return text.startswith("x'")


def texts(session: Session, column: Select[str]) -> list[str]:
    """What is in one column of texts; what is no text on SQLite is given in hex, as `x'ff'`."""
    return [text for (text,) in text_rows(session, column)]


def text_rows(session: Session, columns: Select[*tuple[Any, ...]]) -> list[tuple[str, ...]]:
    """The same of several columns, none of which is ever empty."""
    if session.get_bind().dialect.name != "sqlite":
        return [tuple(row) for row in session.execute(columns)]
    both = [(func.typeof(each), cast(each, LargeBinary)) for each in columns.selected_columns]
    stored = columns.with_only_columns(*chain.from_iterable(both))
    return [tuple(starmap(_text, zip(row[::2], row[1::2], strict=True))) for row in session.execute(stored)]


def _text(kind: str, content: bytes) -> str:
    try:
        return content.decode() if kind == "text" else f"x'{content.hex()}'"
    except UnicodeDecodeError:
        return f"x'{content.hex()}'"


def _is_of_text(error: OperationalError) -> bool:
    # The driver says so with no code of SQLite's, for SQLite itself finds nothing wrong.
    return isinstance(error.orig, sqlite3.OperationalError) and _NO_TEXT in str(error.orig)
