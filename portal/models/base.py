"""What do all tables share? Names of constraints, and the types of ids and times."""

import secrets
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Annotated, Any, Final

from sqlalchemy import BigInteger, Integer, MetaData, String, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, mapped_column

# Named constraints let migrations drop them on both databases.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# An insert that may meet a row that is there already is each database's own.
INSERT: Final[Mapping[str, Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

# Times are Unix milliseconds in UTC, as the Kii contract shows them (a.1, createdAt).
Ms = Annotated[int, mapped_column(BigInteger)]
# SQLite only counts up by itself in a column that is exactly INTEGER.
Serial = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
]


def sorted_by_code_point(length: int) -> String:
    """Text that both databases sort alike, so that looking up by a beginning can use an index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


Id = Annotated[str, mapped_column(String(36))]
E164 = Annotated[str, mapped_column(sorted_by_code_point(16))]
LocaleTag = Annotated[str, mapped_column(String(35))]


class Base(DeclarativeBase):
    """The one base of all tables."""

    metadata = MetaData(naming_convention=NAMING)


def table(model: type[Base]) -> Table:
    """The bare table of a model, for statements that are made once and run on every request.

    Making a statement costs five to ten times as much as running it, and the ORM around it as much again;
    the paths that check and send codes cannot afford either.
    """
    bare = model.__table__
    assert isinstance(bare, Table)
    return bare


def random_id() -> str:
    """A fresh 128-bit id as 32 hex digits (ENU-05)."""
    return secrets.token_hex(16)


def in_list(column: str, values: Iterable[Enum]) -> str:
    """The SQL text of a check that `column` holds one of an enum's values, or of some of them."""
    quoted = ", ".join(f"'{member.value}'" for member in values)
    return f"{column} IN ({quoted})"
