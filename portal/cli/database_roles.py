"""Which roles of PostgreSQL does Ringback have? One owns the tables, another works on them (TEN-03)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import ProgrammingError

from portal.cli import schema
from portal.config import Settings
from portal.models import Base, fenced
from portal.models.app_fence import EVENTS, READS_FOR_EVENTS, READS_FOR_VIEW, VIEW

# What an operator is told to do about fences that are only prepared.
PUT_UP = "Once no older Ringback runs any more: portal migrate --fence"

# What PostgreSQL says to a role without a right: insufficient_privilege.
_NOT_ALLOWED = "42501"
_NO_OWNER = """This role may not make or change tables. Set PORTAL_OWNER_DATABASE_URL to the address of
the role that owns them, and say the same again."""
_OWNERS = text("""
    SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (:tables)
""")
_UNFENCED = text("""
    SELECT count(*) FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (:tables)
    AND NOT (relrowsecurity AND relforcerowsecurity)
""")
_STANDING = text("""
    SELECT current_user, rolsuper OR rolbypassrls,
        EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass('app') AND pg_has_role(relowner, 'USAGE'))
    FROM pg_roles WHERE rolname = current_user
""")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a role stands to the fences: `passes` them all, or `owns` the tables and could take them down."""

    name: str
    passes: bool
    owns: bool


def standing(connection: Connection) -> Standing:
    """The role of a connection to PostgreSQL."""
    return Standing(*connection.execute(_STANDING).one())


def is_fenced(connection: Connection) -> bool:
    """Whether every table of an app is fenced, for its owner too."""
    unfenced = connection.execute(_UNFENCED, {"tables": sorted(fenced(Base.metadata))}).scalar_one()
    return bool(unfenced == 0)


def fence(settings: Settings) -> None:
    """Puts up the fences that a migration prepared. Raises ClickException on SQLite."""
    with schema.connected(schema.as_owner(settings)) as connection:
        if connection.dialect.name != "postgresql":
            raise click.ClickException("SQLite has no row security: only queries keep apps apart there.")
        put_up(connection)
        connection.commit()


def all_fenced(settings: Settings) -> bool:
    """Whether no fence waits to be put up, as on SQLite, which has none."""
    with schema.connected(schema.as_owner(settings)) as connection:
        return connection.dialect.name != "postgresql" or is_fenced(connection)


def put_up(connection: Connection) -> None:
    """Puts up the fences that a migration prepared; for the tables' owner. On SQLite there are none."""
    if connection.dialect.name != "postgresql":
        return
    for table in sorted(fenced(Base.metadata)):
        connection.exec_driver_sql(
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'
        )


def require_tables(settings: Settings) -> None:
    """Raises ClickException where tables are there already that PORTAL_OWNER_DATABASE_URL does not own."""
    if not _has_two(settings):
        return
    with _bare(schema.as_owner(settings)) as connection:
        me, owners = standing(connection), _owners(connection)
    if others := [each for each in owners if each != me.name and not me.passes]:
        says = f"The tables belong to {others[0]}, and are to belong to {me.name}. As a superuser, say there:"
        raise click.ClickException(f"{says} REASSIGN OWNED BY {others[0]} TO {me.name};")


def admit_to(settings: Settings) -> None:
    """Admits the role of PORTAL_DATABASE_URL to the tables, where another role owns them."""
    if not _has_two(settings):
        return
    with _bare(settings) as connection:
        role = standing(connection).name
    with schema.connected(schema.as_owner(settings)) as connection:
        if role != standing(connection).name:
            admit(connection, role)
            connection.commit()


def admit(connection: Connection, role: str) -> None:
    """Lets `role` read and write rows, and nothing else; for the tables' owner, after each migration."""
    (owner,) = _owners(connection)
    here = connection.execute(text("SELECT current_schema()")).scalar_one()
    for statement in _admissions(_quoted(role), _quoted(owner), _quoted(here)):
        connection.exec_driver_sql(statement)


def _has_two(settings: Settings) -> bool:
    return bool(settings.owner_database_url) and settings.sqlalchemy_url.startswith("postgresql")


@contextmanager
def naming_the_owner() -> Iterator[None]:
    """Around what only the tables' owner may do. Refuses in one line where another role tries it."""
    try:
        yield
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
            raise
        raise click.ClickException(_NO_OWNER) from None


@contextmanager
def _bare(settings: Settings) -> Iterator[Connection]:
    """A connection that reads nothing by itself, for a role that may perhaps read no table yet."""
    engine = create_engine(settings.sqlalchemy_url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _owners(connection: Connection) -> list[str]:
    return sorted(connection.scalars(_OWNERS, {"tables": [*Base.metadata.tables, VIEW, EVENTS]}))


def _admissions(role: str, owner: str, schema: str) -> tuple[str, ...]:
    rows, numbers = "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"
    future = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema}"
    return (
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"GRANT {numbers} ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        f"{future} GRANT {rows} ON TABLES TO {role}",
        f"{future} GRANT {numbers} ON SEQUENCES TO {role}",
        # Which schema there is, only a migration changes.
        f"REVOKE INSERT, UPDATE, DELETE ON {schema}.alembic_version FROM {role}",
        # Where the tables changed hands, the views read as their new owner, and nobody else past the fence.
        f'ALTER POLICY {READS_FOR_VIEW} ON "user" TO {owner}',
        f"ALTER POLICY {READS_FOR_EVENTS} ON audit_entry TO {owner}",
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
