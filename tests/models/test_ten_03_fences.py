"""Does PostgreSQL itself keep one app's rows from another, whatever a query forgets? (TEN-03)"""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from portal.models import Base, fenced
from portal.models.app_fence import ALL_APPS, POLICY, SETTING, VIEW
from tests import factories, postgresql

FENCED = dict(fenced(Base.metadata))
TABLES = sorted(FENCED)
SHOP, INN = "shop", "inn"
PERMISSIVE = """
    SELECT tablename, policyname, cmd, roles::text[] FROM pg_policies WHERE policyname <> %s ORDER BY 1
"""


@pytest.fixture(scope="module")
def rows(postgresql_database) -> Iterator[Session]:
    """The superuser's look at two apps that have one row of everything."""
    postgresql_database.empty()
    engine = create_engine(postgresql.as_role(postgresql_database.url, postgresql.SUPERUSER))
    try:
        with Session(engine, expire_on_commit=False) as session:
            for app_id in (SHOP, INN):
                have_one_of_each(session, app_id)
            session.commit()
            yield session
    finally:
        engine.dispose()


def have_one_of_each(session: Session, app_id: str) -> None:
    factories.app(session, id=app_id)
    for table in TABLES:
        here = text(f'SELECT 1 FROM "{table}" WHERE {FENCED[table]} = :app')
        # Some rows came with others.
        if session.execute(here, {"app": app_id}).first() is None:
            getattr(factories, table)(session, app_id=app_id)


@pytest.fixture
def connected(rows, postgresql_database) -> Iterator[psycopg.Connection]:
    """The role that Ringback works as, and not a word about whose rows it wants."""
    with psycopg.connect(postgresql_database.url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (postgresql.APP,)
        yield connection
        connection.rollback()


def say(connection, app_id: str) -> None:
    connection.execute("SELECT set_config(%s, %s, true)", (SETTING, app_id))


def count(connection, table: str, where: str = "true") -> int:
    asked = sql.SQL("SELECT count(*) FROM {} WHERE ").format(sql.Identifier(table)) + sql.SQL(where)
    return connection.execute(asked).fetchone()[0]


def apps_seen(connection, table: str) -> set[str | None]:
    column = sql.Identifier(FENCED[table])
    asked = sql.SQL("SELECT DISTINCT {} FROM {}").format(column, sql.Identifier(table))
    return {each for (each,) in connection.execute(asked)}


# --- Every table has its fence -----------------------------------------------------------------------------


def test_ten_03_every_table_of_an_app_has_row_security_for_its_owner_too(connected):
    asked = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND relforcerowsecurity"
    assert {name for (name,) in connected.execute(asked)} == set(TABLES)


def test_ten_03_every_table_that_names_an_app_is_among_them(connected):
    asked = """SELECT table_name FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name) WHERE table_schema = 'public' AND column_name = 'app_id'
        AND table_type = 'BASE TABLE'"""
    assert {name for (name,) in connected.execute(asked)} | {"app"} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_ten_03_every_policy_compares_the_app_for_reading_and_for_writing(connected, table):
    asked = """SELECT cmd, roles::text[], qual, with_check FROM pg_policies
        WHERE tablename = %s AND policyname = %s"""
    cmd, roles, qual, check = connected.execute(asked, (table, POLICY)).fetchone()

    assert (cmd, roles) == ("ALL", ["public"])
    assert f"(({FENCED[table]})::text = " in qual
    assert check is None, "without one of its own, what is written must be what could be read"


def test_ten_03_only_the_owner_reads_past_a_fence_and_only_for_the_views(connected):
    assert sorted(connected.execute(PERMISSIVE, (POLICY,)).fetchall()) == [
        ("audit_entry", "account_event_reads", "SELECT", [postgresql.OWNER]),
        ("user", "user_by_number_reads", "SELECT", [postgresql.OWNER]),
    ]


# --- Whoever says nothing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [*TABLES, VIEW])
def test_ten_03_a_query_without_a_tenant_finds_nothing(connected, rows, table):
    assert rows.execute(text(f'SELECT count(*) FROM "{table if table != VIEW else "user"}"')).scalar() >= 2

    assert count(connected, table) == 0


@pytest.mark.parametrize("table", TABLES)
def test_ten_03_a_row_without_a_tenant_is_refused(connected, rows, table):
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        copy_into(connected, rows, table, {FENCED[table]: SHOP})


def test_ten_03_a_connection_forgets_whose_rows_the_last_transaction_wanted(connected):
    say(connected, SHOP)
    assert count(connected, "user") >= 1
    connected.commit()

    assert count(connected, "user") == 0


# --- Whoever says one app ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_ten_03_one_app_sees_its_own_rows_and_no_others(connected, table):
    say(connected, SHOP)

    assert apps_seen(connected, table) == {SHOP}


def test_ten_03_the_view_that_numbers_are_looked_for_in_has_the_same_fence(connected):
    say(connected, SHOP)
    found = {each for (each,) in connected.execute(f"SELECT app_id FROM {VIEW} WHERE phone_number LIKE '%'")}

    assert found <= {SHOP}
    assert count(connected, VIEW) == count(connected, "user")


@pytest.mark.parametrize("table", TABLES)
def test_ten_03_another_apps_row_is_neither_changed_nor_removed(connected, rows, table):
    column = FENCED[table]
    say(connected, SHOP)
    changed = sql.SQL("UPDATE {} SET {column} = {column} WHERE {column} = %s").format(
        sql.Identifier(table), column=sql.Identifier(column)
    )
    assert connected.execute(changed, (INN,)).rowcount == 0
    removed = sql.SQL("DELETE FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
    assert connected.execute(removed, (INN,)).rowcount == 0


@pytest.mark.parametrize("table", TABLES)
def test_ten_03_a_row_for_another_app_is_refused(connected, rows, table):
    say(connected, SHOP)
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        copy_into(connected, rows, table, {FENCED[table]: INN})


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"audit_entry"}))
def test_ten_03_a_row_cannot_be_moved_to_another_app(connected, table):
    say(connected, SHOP)
    moved = sql.SQL("UPDATE {} SET {} = %s").format(sql.Identifier(table), sql.Identifier(FENCED[table]))
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        connected.execute(moved, (INN,))


def test_ten_03_what_belongs_to_no_app_is_only_seen_by_whoever_sees_all(connected, rows):
    factories.audit_entry(rows, app_id=None)
    factories.audit_chain(rows, id="installation", app_id=None)
    rows.commit()
    say(connected, SHOP)
    assert count(connected, "audit_entry", "app_id IS NULL") == 0
    assert count(connected, "audit_chain", "app_id IS NULL") == 0

    say(connected, ALL_APPS)
    assert count(connected, "audit_entry", "app_id IS NULL") == 1
    assert apps_seen(connected, "audit_chain") == {SHOP, INN, None}


# --- Whose fence it is -------------------------------------------------------------------------------------

TAKEN_DOWN = [
    'ALTER TABLE "user" DISABLE ROW LEVEL SECURITY',
    'ALTER TABLE "user" NO FORCE ROW LEVEL SECURITY',
    f'DROP POLICY {POLICY} ON "user"',
    f'ALTER POLICY {POLICY} ON "user" USING (true)',
    'CREATE POLICY another ON "user" FOR SELECT USING (true)',
    'DROP TABLE "user"',
    'TRUNCATE "user" CASCADE',
    "CREATE TABLE mine (id integer)",
    f"CREATE OR REPLACE VIEW {VIEW} AS SELECT 1",
    "DROP FUNCTION audit_entry_stays",
    f"SET ROLE {postgresql.OWNER}",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "UPDATE alembic_version SET version_num = '0001'",
]


@pytest.mark.parametrize("statement", TAKEN_DOWN)
def test_ten_03_the_role_that_works_cannot_take_a_fence_down(connected, statement):
    with pytest.raises(InsufficientPrivilege):
        connected.execute(statement)


def test_ten_03_a_fence_that_is_to_be_switched_off_for_a_session_refuses_instead(connected):
    connected.execute("SET LOCAL row_security = off")
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        count(connected, "user")


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"audit_entry", "user"}))
def test_ten_03_the_owner_of_the_tables_finds_nothing_either(rows, postgresql_database, table):
    url = postgresql.as_role(postgresql_database.url, postgresql.OWNER)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert count(connection, table) == 0


def copy_into(connection, rows, table: str, changes: dict[str, str]) -> None:
    """Tries to put down the shop's row of a table once more, with changes, as raw SQL."""
    found = rows.execute(
        text(f'SELECT row_to_json(it)::text FROM "{table}" AS it WHERE {FENCED[table]} = :app LIMIT 1'),
        {"app": SHOP},
    ).scalar_one()
    put = sql.SQL(
        "INSERT INTO {0} SELECT (json_populate_record(NULL::{0}, (%s::jsonb || %s::jsonb)::json)).*"
    )
    connection.execute(put.format(sql.Identifier(table)), (found, psycopg.types.json.Jsonb(changes)))
