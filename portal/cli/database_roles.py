"""Which roles of PostgreSQL does Ringback have? One owns the tables, another works on them (TEN-03)."""

from dataclasses import dataclass

import click
from sqlalchemy import Connection, text

from portal.cli import schema
from portal.config import Settings
from portal.models import Base, fenced
from portal.models.app_fence import READS_FOR_VIEW, VIEW

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


def fence(settings: Settings) -> str:
    """Puts up the fences that a migration prepared, and says so. Raises ClickException on SQLite."""
    with schema.connected(schema.as_owner(settings)) as connection:
        if connection.dialect.name != "postgresql":
            raise click.ClickException("SQLite has no row security: only queries keep apps apart there.")
        put_up(connection)
        connection.commit()
    return told(settings)


def told(settings: Settings) -> str:
    """One line on whether apps are fenced off; empty on SQLite."""
    with schema.connected(schema.as_owner(settings)) as connection:
        if connection.dialect.name != "postgresql":
            return ""
        if is_fenced(connection):
            return "Apps are fenced off from each other."
    return "Apps are not fenced off yet. Once no older Ringback runs any more: portal migrate --fence"


def put_up(connection: Connection) -> None:
    """Puts up the fences that a migration prepared; for the tables' owner. On SQLite there are none."""
    if connection.dialect.name != "postgresql":
        return
    for table in sorted(fenced(Base.metadata)):
        connection.exec_driver_sql(
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'
        )


def admit_to(settings: Settings) -> None:
    """Admits the role of PORTAL_DATABASE_URL to the tables, where another role owns them."""
    if not settings.owner_database_url or settings.sqlalchemy_url.startswith("sqlite"):
        return
    with schema.connected(settings) as connection:
        role = standing(connection).name
    with schema.connected(schema.as_owner(settings)) as connection:
        if role != standing(connection).name:
            admit(connection, role)
            connection.commit()


def admit(connection: Connection, role: str) -> None:
    """Lets `role` read and write rows, and nothing else; for the tables' owner, after each migration.

    Raises ClickException where the tables belong to somebody else, who alone could say so.
    """
    me = standing(connection)
    owners = sorted(connection.scalars(_OWNERS, {"tables": [*Base.metadata.tables, VIEW]}))
    if owners != [me.name] and not me.passes:
        others = ", ".join(each for each in owners if each != me.name)
        says = f"The tables belong to {others}, and are to belong to {me.name}. As a superuser, say there:"
        raise click.ClickException(f"{says} REASSIGN OWNED BY {others} TO {me.name};")
    schema = connection.scalar(text("SELECT current_schema()"))
    for statement in _admissions(_quoted(role), _quoted(owners[0]), _quoted(str(schema))):
        connection.exec_driver_sql(statement)


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
        # Where the tables changed hands, the view reads as its new owner.
        f'ALTER POLICY {READS_FOR_VIEW} ON "user" TO {owner}',
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
