"""Which database is migrated, and how? Alembic runs this file for every migration command."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, Engine, text

from portal.models import Base, is_ours
from portal.models.app_fence import ALL_APPS
from portal.services import fences

# Any number that nothing else in the database locks; two servers that start at once migrate one by one.
LOCK = 727_466


def migrate() -> None:
    """Migrates over the connection that the caller gave, or else over the Flask app's database."""
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        _migrate_over(given)
        return
    engine: Engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        _migrate_over(connection)


def _migrate_over(connection: Connection) -> None:
    connection = connection.execution_options(ringback_write=True)
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        _enforce_foreign_keys(connection, False)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        include_name=is_ours,
        render_as_batch=True,
        # Both databases undo a half-done migration; for SQLite, Alembic does not know it by itself.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if not sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            # A migration moves rows of every app, and not even the tables' owner passes their fences.
            fences.say(connection, ALL_APPS)
        context.run_migrations()
    if sqlite:
        _enforce_foreign_keys(connection, True)


def _enforce_foreign_keys(connection: Connection, on: bool) -> None:
    # A batch rebuilds a table by dropping the old one, which would delete the rows that point at it. The
    # setting only changes outside a transaction, so it goes to the driver before SQLAlchemy begins one.
    driver: Any = connection.connection.dbapi_connection
    driver.execute(f"PRAGMA foreign_keys = {int(on)}")


migrate()
