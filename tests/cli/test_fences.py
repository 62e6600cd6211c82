"""How does an operator fence apps off, and who tells them where that was not done? (TEN-03)"""

import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from portal.cli.database_roles import PUT_UP
from tests.cli.conftest import Operator
from tests.conftest import migrate
from tests.postgresql import APP, OWNER, SUPERUSER, as_role

BEFORE = "0007"
AN_APP = """INSERT INTO app (id, name, mode, provider, home_country, default_locale, client_id, created_at,
    phone_number_verification_required, code_length, code_life_s, guesses_allowed, sends_allowed,
    number_taken,
    notify_old_number, most_segments, sms_templates_need_approval, web_autofill, android_autofill, currency,
    expose_full_user_data_to_others, refresh_token_enabled, default_token_life_s, max_token_life_s)
    VALUES ('shop', 'Shop', 'sandbox', 'inbox', 'JP', 'en', 'client', 1, true, 6, 600, 5, 5, 'refuse',
    true, 2, false, false, false, 'USD', false, false, 1000, 1000)"""


@pytest.fixture
def database() -> str:
    """Only PostgreSQL has fences."""
    return "postgresql"


@pytest.fixture
def url(empty_url) -> Iterator[str]:
    """A database of this test's own, without a table, for whom `as_role` says."""
    return empty_url


@pytest.fixture
def two_roles(newcomer, url) -> Operator:
    """An operator whose database is to have an owner, and a role that works on it."""
    newcomer.environment |= {
        "PORTAL_DATABASE_URL": as_role(url, APP),
        "PORTAL_OWNER_DATABASE_URL": as_role(url, OWNER),
    }
    return newcomer


def ask(url: str, role: str, statement: str) -> list[tuple]:
    with psycopg.connect(as_role(url, role).replace("+psycopg", "")) as connection:
        found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []


def fences_of(typing: Operator) -> tuple[str, str, str]:
    """What the doctor finds of them: the state, what it says and what to do."""
    findings = json.loads(typing.types("doctor", "--json").stdout)["findings"]
    ((state, says, do),) = [
        (one["state"], one["says"], one["do"]) for one in findings if one["name"] == "fences"
    ]
    return state, says, do


def test_ten_03_two_roles_share_a_new_database_and_only_one_may_change_it(two_roles, url):
    answer = two_roles.types("migrate")
    assert answer.exit_code == 0, answer.output
    assert "fence" not in answer.stdout
    assert two_roles.types("apps", "create", "Shop", "--country", "JP").exit_code == 0

    assert ask(url, SUPERUSER, "SELECT count(*) FROM app") == [(1,)]
    assert ask(url, APP, "SELECT count(*) FROM app") == [(0,)]
    assert ask(url, OWNER, "SELECT count(*) FROM app") == [(0,)]
    with pytest.raises(InsufficientPrivilege):
        ask(url, APP, "ALTER TABLE app DISABLE ROW LEVEL SECURITY")
    assert fences_of(two_roles)[0] == "ok"
    assert two_roles.types("migrate").exit_code == 0


def test_ten_03_a_table_that_a_later_migration_adds_is_open_to_the_working_role(two_roles, url):
    two_roles.types("migrate")
    ask(url, OWNER, "CREATE TABLE later (id bigserial PRIMARY KEY, what text)")

    ask(url, APP, "INSERT INTO later (what) VALUES ('x')")
    assert ask(url, APP, "SELECT what FROM later") == [("x",)]


def test_ten_03_one_role_for_everything_is_fenced_and_the_doctor_notes_it(newcomer, url):
    assert newcomer.types("migrate").exit_code == 0
    assert newcomer.types("apps", "create", "Shop", "--country", "JP").exit_code == 0

    assert ask(url, OWNER, "SELECT count(*) FROM app") == [(0,)]
    state, says, do = fences_of(newcomer)
    assert (state, says.split()[0]) == ("note", OWNER)
    assert "PORTAL_OWNER_DATABASE_URL" in do


def test_ten_03_a_superuser_is_fenced_off_from_nothing_and_the_doctor_says_so(newcomer, url):
    newcomer.environment["PORTAL_DATABASE_URL"] = as_role(url, SUPERUSER)
    newcomer.types("migrate")

    state, says, _do = fences_of(newcomer)
    assert state == "bad"
    assert says.startswith(f"{SUPERUSER} is a superuser")


def test_ops_04_processes_of_the_version_before_go_on_until_the_operator_puts_the_fences_up(two_roles, url):
    migrate(as_role(url, OWNER), BEFORE)
    ask(url, SUPERUSER, AN_APP)
    answer = two_roles.types("migrate")
    assert answer.stdout.endswith(f"Apps are not fenced off yet. {PUT_UP}\n")

    assert ask(url, APP, "SELECT id FROM app") == [("shop",)], "an old process says nothing, and works on"
    assert fences_of(two_roles)[0] == "bad"
    assert two_roles.types("apps", "list").exit_code == 0, "so does a new one"
    answer = two_roles.types("migrate", "--fence")
    assert answer.stdout.endswith("Apps are fenced off from each other.\n")
    assert ask(url, APP, "SELECT id FROM app") == []
    assert fences_of(two_roles)[0] == "ok"
    assert "shop" in two_roles.types("apps", "list").stdout


def test_ten_03_who_had_one_role_is_told_how_the_tables_change_hands(newcomer, two_roles, url):
    single = as_role(url, APP)
    ask(url, SUPERUSER, f"GRANT ALL ON SCHEMA public TO {APP}")
    ask(url, SUPERUSER, "CREATE EXTENSION pg_trgm")
    migrate(single)
    answer = two_roles.types("migrate")
    assert answer.exit_code == 1
    told = f"REASSIGN OWNED BY {APP} TO {OWNER};"
    assert told in answer.stderr
    ask(url, SUPERUSER, f"{told} REVOKE ALL ON SCHEMA public FROM {APP};")

    answer = two_roles.types("migrate")
    assert answer.exit_code == 0, answer.output
    assert fences_of(two_roles)[0] == "ok"
    past_it = "SELECT policyname, roles::text[] FROM pg_policies WHERE policyname <> 'app_fence' ORDER BY 1"
    assert ask(url, OWNER, past_it) == [("account_event_reads", [OWNER]), ("user_by_number_reads", [OWNER])]


@pytest.mark.parametrize("already", [False, True], ids=["new", "owned_by_another"])
def test_ten_03_a_role_that_may_not_make_tables_is_told_of_the_other_one_in_a_line(
    newcomer, two_roles, url, already
):
    if already:
        two_roles.types("migrate")
    del newcomer.environment["PORTAL_OWNER_DATABASE_URL"]
    answer = newcomer.types("migrate", *(["--fence"] if already else []))
    assert answer.exit_code == 1
    assert "Set PORTAL_OWNER_DATABASE_URL" in answer.stderr
    assert "Traceback" not in answer.output


def test_ten_03_going_back_takes_the_fences_away(url):
    migrate(as_role(url, OWNER))
    migrate(as_role(url, OWNER), BEFORE, down=True)

    assert ask(url, OWNER, "SELECT count(*) FROM pg_policies") == [(0,)]
    assert ask(url, OWNER, "SELECT count(*) FROM pg_class WHERE relrowsecurity OR relforcerowsecurity") == [
        (0,)
    ]
