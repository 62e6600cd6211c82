"""What if a row holds what Ringback never writes? That is no database out of reach."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import LargeBinary, Select, cast, func
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

# SQLite takes anything for a number, for a text, and for JSON; both databases take JSON nested without end.
_OF_DATA = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, DataError)
_NO_TEXT = "Could not decode to UTF-8"


class Unreadable(Exception):
    """A row holds what Ringback never writes."""


@contextmanager
def told_apart() -> Iterator[None]:
    """Raises Unreadable for what a row's content leads to. Trouble with the database itself goes through."""
    try:
        yield
    except (*_OF_DATA, OperationalError) as error:
        if isinstance(error, OperationalError) and not _is_of_text(error):
            raise
        raise Unreadable from error


def texts(session: Session, column: Select[str]) -> list[str]:
    """What is in one column of texts; what is no text on SQLite is given in hex, as `x'ff'`."""
    if session.get_bind().dialect.name != "sqlite":
        return list(session.scalars(column))
    [name] = column.selected_columns
    stored = column.with_only_columns(func.typeof(name), cast(name, LargeBinary))
    return [_text(kind, content) for kind, content in session.execute(stored)]


def _text(kind: str, content: bytes) -> str:
    try:
        return content.decode() if kind == "text" else f"x'{content.hex()}'"
    except UnicodeDecodeError:
        return f"x'{content.hex()}'"


def _is_of_text(error: OperationalError) -> bool:
    # The driver says so with no code of SQLite's, for SQLite itself finds nothing wrong.
    return isinstance(error.orig, sqlite3.OperationalError) and _NO_TEXT in str(error.orig)
