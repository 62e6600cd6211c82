"""Do limits stay in force when numbers become hashes, and does nothing plain stay? (PII-06)"""

import pytest
from sqlalchemy import create_engine, text

from portal import keys
from portal.core import number_hashes
from portal.keys import WrongKeys
from portal.services import erased_rows
from tests.conftest import migrate
from tests.models.test_access_key_migration import ACCOUNT, APP, put

OLD, NEW = "0007", "0008"
NUMBER = "+819012345678"


@pytest.fixture
def old(empty_url):
    """A database in which limits know numbers as they are."""
    migrate(empty_url, OLD)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        put(connection, "account", ACCOUNT)
        put(connection, "app", APP)
        limit = {"sent_times": "1,2", "failed_guess_times": "3", "touched_at": 4}
        put(connection, "phone_number_limit", limit | {"app_id": "shop", "phone_number": NUMBER})
        for subject in ("ab" * 32, "code_spray:shop"):
            put(connection, "attempt_tally", {"subject": subject, "tries": 2, "ends_at": 9})
    yield engine
    engine.dispose()


def rows(engine, table: str) -> list[dict]:
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(text(f"SELECT * FROM {table}"))]


def test_pii_06_a_number_keeps_its_limits_and_stands_there_no_more(old, empty_url, tmp_path):
    server_keys = keys.load(tmp_path)
    migrate(empty_url, NEW, home=tmp_path)

    [limit] = rows(old, "phone_number_limit")
    assert limit == {
        "app_id": "shop",
        "number_hash": number_hashes.limit_hashes(server_keys, "shop", NUMBER)[0][1],
        "key_version": 1,
        "sent_times": "1,2",
        "failed_guess_times": "3",
        "touched_at": 4,
    }
    assert [each["subject"] for each in rows(old, "attempt_tally")] == ["code_spray:shop"]


def test_pii_06_without_the_keys_nothing_is_migrated(old, empty_url, tmp_path):
    with pytest.raises(WrongKeys, match="set PORTAL_HOME"):
        migrate(empty_url, NEW, home=tmp_path)
    assert rows(old, "phone_number_limit")[0]["phone_number"] == NUMBER
    assert not (tmp_path / keys.FILE).exists()


def test_the_way_back_forgets_what_no_one_can_read_any_more(old, empty_url, tmp_path):
    keys.load(tmp_path)
    migrate(empty_url, NEW, home=tmp_path)
    migrate(empty_url, OLD, down=True)

    assert rows(old, "phone_number_limit") == []
    with old.begin() as connection:
        limit = {"sent_times": "", "failed_guess_times": "", "touched_at": 4}
        put(connection, "phone_number_limit", limit | {"app_id": "shop", "phone_number": NUMBER})


def test_pii_05_in_a_restored_copy_of_before_an_erased_number_loses_its_limits_too(old, tmp_path):
    with old.begin() as connection:
        erased_rows.remove_restored_limits(connection, keys.load(tmp_path), "shop", {NUMBER})

    assert rows(old, "phone_number_limit") == []
