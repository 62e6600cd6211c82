"""Do audit entries of before the chain come through, fit to be sealed, and back again? (PII-07)"""

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.conftest import migrate

ENTRY = """INSERT INTO audit_entry (app_id, at, actor_kind, action, details)
    VALUES (NULL, 1, 'system', 'account.password_changed', '{}')"""


@pytest.fixture
def run(empty_url):
    """`run("SELECT ...")` is one statement on the migrated database; what it finds, if it finds."""
    engine = create_engine(empty_url, isolation_level="AUTOCOMMIT")

    def execute(statement: str) -> list[tuple]:
        with engine.connect() as connection:
            found = connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    yield execute
    engine.dispose()


def test_pii_07_what_was_written_before_the_chain_can_be_sealed_after_it(empty_url, run):
    migrate(empty_url)
    migrate(empty_url, "0005", down=True)
    run(ENTRY)
    migrate(empty_url, "0006")

    assert run("SELECT at, sequence, hash FROM audit_entry") == [(1, None, None)]
    run("UPDATE audit_entry SET sequence = 1, hash = 'x', told_hash = 'x'")
    with pytest.raises(DBAPIError, match="stay as they are"):
        run("UPDATE audit_entry SET sequence = 2")


def test_pii_07_the_way_down_keeps_the_entries_and_lifts_the_guard(empty_url, run):
    migrate(empty_url)
    run(ENTRY)
    run("UPDATE audit_entry SET sequence = 1, hash = 'x', told_hash = 'x'")
    migrate(empty_url, "0005", down=True)

    assert run("SELECT at, action FROM audit_entry") == [(1, "account.password_changed")]
    run("DELETE FROM audit_entry")


def test_pii_07_a_chain_that_an_earlier_ringback_began_anew_comes_through_and_back(empty_url, run):
    migrate(empty_url, "0013")
    values = "'installation', 0, 'x', 3, 'y', 1, 'seal', 3, 1, 'kept'"
    names = "id, base_sequence, base_hash, head_sequence, head_hash, sealed_at, seal, restart_sequence"
    run(f"INSERT INTO audit_chain ({names}, restarted_at, kept_hash) VALUES ({values})")
    run(ENTRY)
    migrate(empty_url, "0014")

    assert run("SELECT seal, kept_hash, kept_form FROM audit_chain") == [("seal", "kept", None)]
    assert run("SELECT emptied FROM audit_entry") == [(None,)]
    with pytest.raises(DBAPIError, match="stay as they are"):
        run("UPDATE audit_entry SET emptied = 'x'")
    migrate(empty_url, "0013", down=True)
    assert run("SELECT seal, kept_hash FROM audit_chain") == [("seal", "kept")]
    with pytest.raises(DBAPIError, match="stay as they are"):
        run("DELETE FROM audit_entry")
