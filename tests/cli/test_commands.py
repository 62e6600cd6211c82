"""What does every command have in common?"""

import pytest

from portal.cli.commands import COMMANDS

EVERY = [[name] for name in COMMANDS] + [
    ["apps", "create"],
    ["apps", "list"],
    ["apps", "set"],
    ["apps", "keys"],
    ["apps", "keys", "list"],
    ["apps", "keys", "add"],
    ["apps", "keys", "end"],
    ["accounts", "create"],
    ["accounts", "list"],
    ["users", "erase"],
    ["erasures", "list"],
    ["keys", "rotate"],
    ["keys", "reseal"],
    ["keys", "retire"],
    ["keys", "list"],
    ["audit", "verify"],
    ["audit", "head"],
]
GROUPS = (["apps"], ["apps", "keys"], ["accounts"], ["keys"], ["users"], ["erasures"], ["audit"])
ACTING = [words for words in EVERY if words not in GROUPS]


@pytest.fixture
def database() -> str:
    """Help and refusals look alike on every database."""
    return "sqlite"


def test_help_lists_every_command(operator):
    answer = operator.types("--help")
    assert answer.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in answer.stdout


@pytest.mark.parametrize("words", ACTING, ids=" ".join)
def test_every_command_explains_itself_and_its_exit_codes(operator, words):
    answer = operator.types(*words, "--help")
    assert answer.exit_code == 0
    assert "Exit codes: 0 " in answer.stdout


@pytest.mark.parametrize(
    "words", [["nonsense"], ["serve", "--workers", "0"], ["apps", "create", "X"], ["apps", "set"]]
)
def test_wrong_usage_exits_2(operator, words):
    answer = operator.types(*words)
    assert answer.exit_code == 2
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORTAL_PORT", "eighty", "PORTAL_PORT is 'eighty'"),
        ("PORTAL_TYPO", "1", "PORTAL_TYPO is not a setting"),
        ("PORTAL_DATABASE_URL", "mysql://db", "PORTAL_DATABASE_URL must begin with"),
        ("PORTAL_DATABASE_URL", "postgresql://db:port/x", "PORTAL_DATABASE_URL must look like"),
        ("PORTAL_DATABASE_URL", "postgresql://me:p@ss:w/rd@db/x", "write @ as %40, / as %2F"),
    ],
)
@pytest.mark.parametrize("words", [["serve"], ["worker"], ["migrate"], ["apps", "list"]], ids=" ".join)
def test_ops_06_nonsense_in_a_setting_is_refused_in_one_line(operator, words, name, value, hint):
    operator.environment[name] = value
    answer = operator.types(*words)
    assert answer.exit_code == 1
    assert hint in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["serve"], ["worker"], ["migrate"], ["apps", "list"]], ids=" ".join)
def test_ops_06_a_first_production_start_is_told_all_that_is_missing_a_line_each(operator, words):
    operator.environment["PORTAL_PRODUCTION"] = "true"
    answer = operator.types(*words)
    assert answer.exit_code == 1
    assert answer.stderr.splitlines() == [
        "Error: PORTAL_BASE_URL must be set in production, and begin with https://.",
        "PORTAL_SECURE_COOKIES must be true in production.",
        "PORTAL_PROXIES must say in production how many proxies of yours a request passes.",
    ]


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("PORTAL_BASE_URL", "", "PORTAL_BASE_URL must be set in production"),
        ("PORTAL_PROXIES", "", "PORTAL_PROXIES must say in production"),
        ("PORTAL_METRICS_TOKEN", "changeme-changeme", "PORTAL_METRICS_TOKEN is a placeholder"),
        ("FLASK_DEBUG", "1", "FLASK_DEBUG must not be set in production"),
    ],
)
@pytest.mark.parametrize("words", [["serve"], ["worker"]], ids=" ".join)
def test_ops_06_an_unsafe_production_start_ends_with_one_line_and_exit_code_1(
    operator, words, name, value, hint
):
    operator.environment |= {
        "PORTAL_PRODUCTION": "true",
        "PORTAL_BASE_URL": "https://ringback.example",
        "PORTAL_SECURE_COOKIES": "true",
        "PORTAL_PROXIES": "1",
        name: value,
    }
    answer = operator.types(*words)
    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"Error: {hint}")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["serve"], ["serve", "--workers", "2"], ["worker"]], ids=" ".join)
def test_ops_06_a_damaged_key_file_is_refused_in_one_line(operator, settings, words):
    (settings.home / "keys.json").write_text("{}")
    answer = operator.types(*words)
    assert answer.exit_code == 1
    assert answer.stderr == "Error: keys.json in PORTAL_HOME cannot be read: restore it from your backup.\n"


def test_a_file_that_is_no_database_is_refused_in_one_line(operator, settings):
    (settings.home / "ringback.db").write_text("Dear diary, " * 500)
    answer = operator.types("serve")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: The database cannot be used: ")
    assert answer.stderr.count("\n") == 1


def test_a_database_server_that_is_not_there_is_refused(operator):
    operator.environment["PORTAL_DATABASE_URL"] = "postgresql://postgres:hush@127.0.0.1:1/ringback"
    answer = operator.types("migrate")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: The database cannot be used: ")
    assert "hush" not in answer.stderr


def test_dat_01_a_pragma_that_does_not_hold_is_refused(operator, monkeypatch):
    from portal import database

    monkeypatch.setitem(database.PRAGMAS, "synchronous", 9)
    answer = operator.types("serve")
    assert answer.exit_code == 1
    assert "SQLite says synchronous" in answer.stderr
