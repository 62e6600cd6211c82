"""Which schema does the database have, and which one does this Ringback need?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError

from portal import database, revisions
from portal.config import FILE, Settings, WrongSetting
from portal.models.app_fence import ALL_APPS
from portal.services import database_timelines, fences

_WRONG_ADDRESS = (
    "PORTAL_DATABASE_URL must look like postgresql://user@host:5432/name. "
    + "In a password (user:password@) write @ as %40, / as %2F and % as %25."
)
_READS_ONLY = (
    "The database takes no writes: it is a standby, or is set to be read only. Name the primary in "
    + "PORTAL_DATABASE_URL, or all servers: postgresql://user@one,two/name?target_session_attrs=read-write"
)


class WrongSchema(click.ClickException):
    """The database has no schema, an old one, one that this Ringback does not know (OPS-04), or no writes."""


def require(settings: Settings) -> None:
    """Raises WrongSchema, with what to do, unless the database is where this Ringback needs it."""
    with connected(settings) as connection:
        found = revisions.found(connection)
    _refuse_newer(found)
    if found is None:
        raise WrongSchema("The database has no tables yet. Run: portal migrate")
    if found != revisions.needed():
        raise WrongSchema(
            f"The database is at {found}, and this Ringback needs {revisions.needed()}. Run: portal migrate"
        )


def require_writable(settings: Settings) -> None:
    """Raises WrongSchema, with what to do, where the database takes no writes: a standby, say (DAT-03)."""
    with connected(settings) as connection:
        if database_timelines.reads_only(connection):
            raise WrongSchema(_READS_ONLY)


def upgrade(settings: Settings, to: str | None = None) -> tuple[str | None, str]:
    """Takes the database to the newest schema, or up to `to`; returns where it was and where it is.

    Raises WrongSchema for a database that a newer Ringback has migrated.
    """
    # Only this command migrates, and Flask-Migrate would cost every server 11 MB.
    import flask_migrate

    owner = as_owner(settings)
    with connected(owner, may_create=True) as connection:
        before = revisions.found(connection)
    _refuse_newer(before)
    rows = Flask("schema")
    rows.config["SQLALCHEMY_DATABASE_URI"] = owner.sqlalchemy_url
    # Where a migration finds the keys that hashes are made with.
    rows.config["RINGBACK_HOME"] = settings.home
    database.db.init_app(rows)
    flask_migrate.Migrate(rows, database.db, directory=str(revisions.MIGRATIONS))
    with rows.app_context():
        database.prepare(database.db.engine)
        try:
            flask_migrate.upgrade(revision=to or "head")
        finally:
            database.db.engine.dispose()
    return before, to or revisions.needed()


def as_owner(settings: Settings) -> Settings:
    """The settings for what changes the schema: by the role that owns the tables, where there is another."""
    return replace(settings, database_url=settings.owner_database_url or settings.database_url)


def found(settings: Settings) -> str | None:
    """The revision of the database; None where it has no tables yet. Raises WrongSchema for a newer one."""
    with connected(settings, may_create=True) as connection:
        revision = revisions.found(connection)
    _refuse_newer(revision)
    return revision


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in revisions.known():
        raise WrongSchema(f"A newer Ringback made this database (schema {found}). Install that Ringback.")


def _engine(settings: Settings) -> Engine:
    try:
        engine = create_engine(settings.sqlalchemy_url)
    except (ArgumentError, ValueError) as error:
        raise WrongSetting(_WRONG_ADDRESS) from error
    database.prepare(engine)
    # What an operator looks at, copies or restores is the whole installation.
    event.listen(engine, "begin", lambda connection: fences.say(connection, ALL_APPS))
    return engine


@contextmanager
def connected(
    settings: Settings, *, may_create: bool = False, options: Mapping[str, Any] | None = None
) -> Iterator[Connection]:
    """One connection to the database, with options of its own, for commands that need no app.

    Raises WrongSchema where there is no database and none may be made.
    """
    if not settings.database_url and not (settings.home / FILE).exists():
        if not may_create:
            raise WrongSchema(
                f"The database in {settings.home.resolve()} has no tables yet. Run: portal migrate"
            )
        _make_home(settings)
    engine = _engine(settings)
    try:
        with engine.connect() as connection:
            yield connection.execution_options(**(options or {}))
    finally:
        engine.dispose()


def _make_home(settings: Settings) -> None:
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongSetting(f"PORTAL_HOME is {settings.home}: {error.strerror}. Name a folder.") from error
