"""How does a database get its tables?"""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, text

from portal import revisions
from portal.cli import schema


def test_it_makes_all_tables_and_does_nothing_the_second_time(newcomer):
    first, second = newcomer.types("migrate"), newcomer.types("migrate")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == f"Migrated the database from nothing to {revisions.needed()}.\n"
    assert second.stdout == f"The database is up to date ({revisions.needed()}).\n"
    assert newcomer.types("apps", "list").exit_code == 0


@pytest.mark.parametrize(
    "words", [["serve"], ["serve", "--workers", "2"], ["worker"], ["demo"]], ids=" ".join
)
def test_without_tables_nothing_starts_and_the_line_says_what_to_do(newcomer, words):
    answer = newcomer.types(*words)
    assert answer.exit_code == 1
    assert answer.stderr == "Error: The database has no tables yet. Run: portal migrate\n"


def test_an_old_schema_says_what_to_do(operator, revision_of):
    revision_of("0000")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "_refuse_newer", lambda _: None)
        answer = operator.types("serve")
    assert answer.exit_code == 1
    assert answer.stderr.endswith("Run: portal migrate\n")


@pytest.mark.parametrize("words", [["migrate"], ["serve"], ["worker"], ["apps", "list"]], ids=" ".join)
def test_ops_04_a_newer_schema_is_left_alone(operator, revision_of, words):
    revision_of("9999")
    answer = operator.types(*words)
    assert answer.exit_code == 1
    expected = "Error: A newer Ringback made this database (schema 9999). Install that Ringback.\n"
    assert answer.stderr == expected


@pytest.fixture
def revision_of(settings) -> Iterator[Callable[[str], None]]:
    """`revision_of("9999")` says that this is the schema; the database is shared, so it is undone."""
    engine = create_engine(schema.as_owner(settings).sqlalchemy_url)

    def write(revision: str) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})

    yield write
    write(revisions.needed())
    engine.dispose()


def test_ten_03_sqlite_has_no_fences_to_put_up(newcomer, database):
    answer = newcomer.types("migrate", "--fence")
    if database == "sqlite":
        assert answer.exit_code == 1
        assert answer.stderr == "Error: SQLite has no row security: only queries keep apps apart there.\n"
    else:
        assert answer.stdout.endswith("Apps are fenced off from each other.\n")
