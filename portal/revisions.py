"""Which schema does this Ringback need, and which one does a database have? The revisions of its tables."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"


def needed() -> str:
    """The revision that this Ringback is written for: the newest in its folder."""
    return max(known())


@cache
def known() -> frozenset[str]:
    """Every revision that this Ringback can read."""
    # Revisions are numbered, and a file's name begins with its number (tests/house keeps it so).
    paths = (MIGRATIONS / "versions").glob("[0-9]*.py")
    return frozenset(path.name.partition("_")[0] for path in paths)


def found(connection: Connection) -> str | None:
    """The revision of the database behind a connection; None where it has no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision
