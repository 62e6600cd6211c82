"""Which schema does the database have, and which one does this Ringback need?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import ArgumentError

from portal import database
from portal.config import Settings, WrongSetting

MIGRATIONS = Path(database.__file__).parent / "migrations"


class WrongSchema(click.ClickException):
    """The database has no schema, an old one, or one that this Ringback does not know (OPS-04)."""


def require(settings: Settings) -> None:
    """Raises WrongSchema, with what to do, unless the database is where this Ringback needs it."""
    with _connected(settings) as connection:
        found = _found(connection)
    _refuse_newer(found)
    if found is None:
        raise WrongSchema("The database has no tables yet. Run: portal migrate")
    if found != needed():
        raise WrongSchema(
            f"The database is at {found}, and this Ringback needs {needed()}. Run: portal migrate"
        )


def upgrade(settings: Settings) -> tuple[str | None, str]:
    """Takes the database to the newest schema; returns where it was and where it is.

    Raises WrongSchema for a database that a newer Ringback has migrated.
    """
    with _connected(settings) as connection:
        before = _found(connection)
        _refuse_newer(before)
        connection.rollback()
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, needed()


def needed() -> str:
    """The revision that this Ringback is written for."""
    return str(_scripts().get_current_head())


def _found(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise WrongSchema(f"A newer Ringback made this database (schema {found}). Install that Ringback.")


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _engine(settings: Settings) -> Engine:
    try:
        engine = create_engine(settings.sqlalchemy_url)
    except (ArgumentError, ValueError) as error:
        raise WrongSetting("PORTAL_DATABASE_URL must look like postgresql://user@host:5432/name.") from error
    database.prepare(engine)
    return engine


@contextmanager
def _connected(settings: Settings) -> Iterator[Connection]:
    if not settings.database_url:
        settings.home.mkdir(parents=True, exist_ok=True)
    engine = _engine(settings)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
