"""Do the migrations make the schema that the models speak of, on both databases, and take it away again?"""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from portal import database as portal_database
from portal.models import Base, is_ours
from tests.conftest import MIGRATIONS, migrate

VERSIONS = sorted((MIGRATIONS / "versions").glob("*.py"))
TABLES = set(Base.metadata.tables) | {"alembic_version"}

# Everything that PostgreSQL knows of a schema, in its own words.
POSTGRESQL_SCHEMA = """
    SELECT 'column', table_name, concat_ws(' ', column_name, data_type, character_maximum_length,
           is_nullable, column_default) FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'policy', tablename, concat_ws(' ', policyname, cmd, roles, qual, with_check)
      FROM pg_policies WHERE schemaname = 'public'
    UNION ALL SELECT 'fence', relname, concat_ws(' ', relrowsecurity, relforcerowsecurity)
      FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    UNION ALL SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
"""
SQLITE_SCHEMA = "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"


def test_there_is_one_head_and_the_files_are_numbered_in_order():
    names = [path.name for path in VERSIONS]
    links = [_links(path) for path in VERSIONS]

    assert all(re.fullmatch(r"[0-9]{4}_[a-z0-9_]+\.py", name) for name in names)
    assert [revision for revision, _ in links] == [f"{place:04}" for place in range(1, len(links) + 1)]
    assert [before for _, before in links] == [None, *(revision for revision, _ in links[:-1])]


def test_it_goes_up_from_empty_and_down_to_empty(empty_url):
    migrate(empty_url)
    assert tables_of(empty_url) == TABLES

    migrate(empty_url, "base", down=True)
    assert tables_of(empty_url) == {"alembic_version"}

    migrate(empty_url)
    assert tables_of(empty_url) == TABLES


def test_it_goes_up_again_without_doing_anything(empty_url):
    migrate(empty_url)
    before = schema_of(empty_url)

    migrate(empty_url)

    assert schema_of(empty_url) == before


def test_the_migrated_schema_is_the_one_the_models_would_make(empty_url):
    migrate(empty_url)
    migrated = schema_of(empty_url)
    clear(empty_url)

    engine = create_engine(empty_url)
    Base.metadata.create_all(engine)
    engine.dispose()

    assert schema_of(empty_url) == {row for row in migrated if row[1] != "alembic_version"}


# The test before this one compares such indexes, word by word.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_alembic_finds_no_difference_either(empty_url):
    migrate(empty_url)
    engine = create_engine(empty_url)

    with engine.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection, opts={"include_name": is_ours}), Base.metadata
        )
    engine.dispose()

    assert found == []


def test_a_migration_that_fails_half_way_leaves_nothing_behind(empty_url, monkeypatch):
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        # The last table of the first migration is in the way.
        connection.execute(text("CREATE TABLE message (id INTEGER)"))
    engine.dispose()

    with pytest.raises(Exception, match="already exists"):
        migrate(empty_url)

    assert tables_of(empty_url) <= {"message", "alembic_version"}


def test_sqlite_enforces_foreign_keys_again_after_a_migration(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'one.db'}", poolclass=None)
    portal_database.prepare(engine)
    migrate(str(engine.url))

    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    engine.dispose()


def _links(path: Path) -> tuple[str, str | None]:
    names: dict[str, str | None] = {}
    exec(compile(path.read_text(encoding="utf-8"), path.name, "exec"), names)
    return str(names["revision"]), names["down_revision"]


def tables_of(url):
    engine = create_engine(url)
    found = {name for name in inspect(engine).get_table_names() if is_ours(name, "table", None)}
    engine.dispose()
    return found


def schema_of(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text(POSTGRESQL_SCHEMA if "postgresql" in url else SQLITE_SCHEMA)).all()
    engine.dispose()
    return {(kind, table, _in_one_order(sql)) for kind, table, sql in rows}


def _in_one_order(sql):
    # Constraints of a table may be written in any order; each is compared for itself. SQLite writes a column
    # that was added later on the line of the one before it.
    parted = re.sub(r", (?=\w+ [A-Z]{4,})", ",\n", sql.replace("\t", " "))
    lines = [line.strip().rstrip(",") for line in parted.splitlines()]
    return "\n".join(sorted(re.sub(r"\s+", " ", line) for line in lines if line))


def clear(url):
    engine = create_engine(url)
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    engine.dispose()
