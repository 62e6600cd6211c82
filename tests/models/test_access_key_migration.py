"""Do apps keep their keys when keys become rows of their own, and when they go back? (TEN-07)"""

from hashlib import sha256

import pytest
from sqlalchemy import create_engine, text

from tests.conftest import migrate

# A schema of long ago, in which an app had one key of a kind.
OLD, NEW = "0006", "0007"
APP_KEY, SECRET = "k" * 32, "s" * 43
APP = {"id": "shop", "client_id": "client", "name": "Shop", "mode": "sandbox", "provider": "inbox"}
APP |= {"home_country": "JP", "default_locale": "en", "created_at": 1, "code_length": 6, "code_life_s": 600}
APP |= {"guesses_allowed": 5, "sends_allowed": 5, "number_taken": "refuse", "most_segments": 2}
APP |= {"phone_number_verification_required": False, "notify_old_number": True, "currency": "USD"}
APP |= {"sms_templates_need_approval": False, "web_autofill": False, "android_autofill": False}
APP |= {"expose_full_user_data_to_others": False, "refresh_token_enabled": False}
APP |= {"default_token_life_s": 1, "max_token_life_s": 1}
KEYS = {"key": APP_KEY, "client_secret_hash": sha256(SECRET.encode()).hexdigest()}
KEYS |= {"client_secret_last4": SECRET[-4:]}
TOKENS = ({"token_hash": "a", "kind": "admin"}, {"token_hash": "b", "kind": "anonymous"})
ACCOUNT = {"id": "alice", "email": "alice@example.com", "password": "!", "active": True}
ACCOUNT |= {"fs_uniquifier": "alice", "created_at": 1, "confirmation_guesses": 0}


def put(connection, table: str, row: dict) -> None:
    names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


@pytest.fixture
def old(empty_url):
    """A database of one key a kind, with an app whose secret Alice made anew, and its tokens."""
    migrate(empty_url, OLD)
    engine = create_engine(empty_url)
    with engine.begin() as connection:
        put(connection, "account", ACCOUNT)
        put(connection, "app", APP | KEYS)
        for token in TOKENS:
            put(connection, "bearer_token", token | {"app_id": "shop", "expires_at": 9, "created_at": 1})
        entry = {"app_id": "shop", "actor_kind": "account", "actor_id": "alice", "details": "{}"}
        for at, action in ((1, "app.created"), (7, "app.secret_regenerated")):
            put(connection, "audit_entry", entry | {"at": at, "action": action})
    yield engine
    engine.dispose()


def rows(engine, sql: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_ten_07_an_app_keeps_its_keys_and_the_log_says_who_made_them(old, empty_url):
    migrate(empty_url, NEW)

    found = rows(
        old, "SELECT kind, slot, key_hash, value, last4, created_by, created_at FROM access_key ORDER BY kind"
    )
    assert found == [
        ("app_key", 1, sha256(APP_KEY.encode()).hexdigest(), APP_KEY, APP_KEY[-4:], "alice", 1),
        ("client_secret", 1, KEYS["client_secret_hash"], None, SECRET[-4:], "alice", 7),
    ]


def test_ten_07_an_admin_token_goes_on_and_names_the_secret_it_came_by(old, empty_url):
    migrate(empty_url, NEW)

    of_tokens = "SELECT token_hash, kind, it.last4 FROM bearer_token LEFT JOIN"
    of_tokens = of_tokens.replace("kind", "bearer_token.kind")
    found = rows(old, f"{of_tokens} access_key AS it ON it.id = access_key_id ORDER BY token_hash")
    assert found == [("a", "admin", SECRET[-4:]), ("b", "anonymous", None)]


def test_ten_07_going_back_keeps_the_newest_key_of_each_kind(old, empty_url):
    migrate(empty_url, NEW)
    new = {
        "id": "new",
        "app_id": "shop",
        "kind": "client_secret",
        "slot": 2,
        "key_hash": "h",
        "last4": "2222",
    }
    with old.begin() as connection:
        put(connection, "access_key", new | {"created_at": 8})

    migrate(empty_url, OLD, down=True)

    assert rows(old, "SELECT key, client_secret_hash, client_secret_last4 FROM app") == [
        (APP_KEY, "h", "2222")
    ]
    assert rows(old, "SELECT token_hash FROM bearer_token ORDER BY token_hash") == [("a",), ("b",)]
    migrate(empty_url, NEW)
    assert len(rows(old, "SELECT id FROM access_key")) == 2
