"""Settings come from PORTAL_ names only; what makes no sense stops the start with a line that says why."""

import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from portal import config
from portal.config import Settings, WrongSetting, load

SAFE = {
    "PORTAL_PRODUCTION": "true",
    "PORTAL_BASE_URL": "https://ringback.example",
    "PORTAL_SECURE_COOKIES": "true",
    "PORTAL_PROXIES": "1",
}


def refusal(**environment: str) -> str:
    """What a start with this environment says."""
    with pytest.raises(WrongSetting) as refused:
        load({f"PORTAL_{name}": value for name, value in environment.items()})
    return str(refused.value)


def test_nothing_set_is_a_server_for_trying_things_out_on_this_machine():
    assert load({}) == Settings()
    assert load({}).host == "127.0.0.1"
    assert not load({}).production


def test_every_setting_is_read_and_takes_its_kind():
    found = load(
        {
            "PORTAL_HOME": "/srv/ringback",
            "PORTAL_DATABASE_URL": "postgresql://ringback@localhost/ringback",
            "PORTAL_HOST": "::1",
            "PORTAL_PORT": " 9090 ",
            "PORTAL_THREADS": "4",
            "PORTAL_HASH_THREADS": "64",
            "PORTAL_BASE_URL": "http://localhost:9090",
            "PORTAL_SECURE_COOKIES": "yes",
            "PORTAL_WORKER": "off",
            "PORTAL_LIMITS": "bench",
            "PORTAL_LOG_LEVEL": "debug",
            "PATH": "/bin",
            "portal_port": "1",
        }
    )
    assert (found.home, found.host, found.port) == (Path("/srv/ringback"), "::1", 9090)
    assert (found.threads, found.hash_threads, found.worker) == (4, 64, False)
    assert (found.limits, found.log_level, found.secure_cookies) == ("bench", "debug", True)


@pytest.mark.parametrize("value", ["", "  ", "\t"])
def test_an_empty_setting_is_as_if_it_were_not_there(value):
    assert load({"PORTAL_PORT": value, "PORTAL_WORKER": value, "PORTAL_LIMITS": value}) == Settings()


@pytest.mark.parametrize(
    "name", ["PORTAL_POTR", "PORTAL_", "PORTAL_SECRET_KEY", "PORTAL_port", "PORTAL_DEBUG"]
)
def test_an_unknown_portal_name_is_refused_and_the_known_ones_are_told(name):
    with pytest.raises(WrongSetting) as refused:
        load({name: "1"})
    assert str(refused.value).startswith(f"{name} is not a setting.")
    assert "PORTAL_PORT" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "8080.0"),
        ("PORT", "8 080"),
        ("PORT", "1e3"),
        ("PORT", "٨٠٨٠"),
        ("PORT", "http"),
        ("PORT", "9" * 5_000),
        ("THREADS", "3"),
        ("THREADS", "257"),
        ("HASH_THREADS", "0"),
        ("HASH_THREADS", "65"),
        ("WORKER", "maybe"),
        ("WORKER", "2"),
        ("PRODUCTION", "ja"),
        ("SECURE_COOKIES", "None"),
        ("LIMITS", "none"),
        ("LIMITS", "DEFAULT"),
        ("LOG_LEVEL", "loud"),
        ("LOG_LEVEL", "WARNING"),
        ("DATABASE_URL", "mysql://localhost/ringback"),
        ("DATABASE_URL", "ringback.db"),
        ("DATABASE_URL", "postgresql+asyncpg://localhost/x"),
        ("BASE_URL", "ringback.example"),
        ("BASE_URL", "https://ringback.example/portal"),
        ("BASE_URL", "https://ringback.example/"),
        ("BASE_URL", "javascript:alert(1)"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://a b"),
        ("BASE_URL", "https://a\nSet-Cookie: x"),
        ("DRAIN_SECONDS", "61"),
        ("METRICS_TOKEN", "short"),
        ("ALARM_URL", "ops.example/hook"),
        ("ALARM_URL", "ftp://ops.example"),
        ("ALARM_SECRET", "short"),
        ("BACKUP_KEY", "a" * 31),
        ("KEEP_MESSAGES_DAYS", "0"),
        ("KEEP_MESSAGES_DAYS", "366"),
        ("KEEP_AUDIT_DAYS", "29"),
        ("KEEP_AUDIT_DAYS", "3651"),
        ("KEEP_UNVERIFIED_USERS_DAYS", "366"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "memcached://localhost"),
        ("PROXIES", "10"),
        ("PROXIES", "10.0.0.0/8"),
        ("SOURCE_SENDS", "0"),
        ("SOURCE_WRONG_CODES", "0"),
        ("SOURCE_SIGN_INS", "0"),
        ("SOURCE_CALLS", "0"),
    ],
)
def test_nonsense_is_refused_by_its_name(name, value):
    assert f"PORTAL_{name}" in refusal(**{name: value})


@pytest.mark.parametrize("value", ["mysql://ringback:s3cret@localhost/x", "s3cret"])
def test_ops_06_a_refused_database_address_is_not_repeated_with_its_password(value):
    assert "s3cret" not in refusal(DATABASE_URL=value)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgres://db/ringback", "postgresql+psycopg://db/ringback"),
        ("postgresql://db/ringback", "postgresql+psycopg://db/ringback"),
        ("postgresql+psycopg://db/ringback", "postgresql+psycopg://db/ringback"),
        ("sqlite:////srv/ringback.db", "sqlite:////srv/ringback.db"),
    ],
)
def test_a_database_address_gets_the_driver_that_ringback_is_tested_with(url, found):
    assert load({"PORTAL_DATABASE_URL": url}).sqlalchemy_url == found


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("one,two:5433", "one,two", "5432,5433"),
        ("one:6432,two:6432", "one,two", "6432,6432"),
        ("[::1]:5433,[fd00::2]", "::1,fd00::2", "5433,5432"),
    ],
)
def test_dat_03_an_address_may_name_several_servers_as_libpq_does(hosts, host, port):
    url = f"postgresql://ringback:p%40,ss@{hosts}/ringback?target_session_attrs=read-write"
    read = make_url(load({"PORTAL_DATABASE_URL": url}).sqlalchemy_url)
    _none, named = read.get_dialect()().create_connect_args(read)
    assert named == {
        "user": "ringback",
        "password": "p@,ss",
        "dbname": "ringback",
        "host": host,
        "port": port,
        "target_session_attrs": "read-write",
    }


def test_without_an_address_the_database_is_a_file_in_the_home(tmp_path):
    found = Settings(home=tmp_path / "home")
    assert found.sqlalchemy_url == f"sqlite:///{tmp_path / 'home' / 'ringback.db'}"


def test_ops_06_production_starts_with_safe_settings():
    assert load(SAFE).production


@pytest.mark.parametrize(
    ("unsafe", "named"),
    [
        ({"PORTAL_LIMITS": "bench"}, "PORTAL_LIMITS"),
        ({"PORTAL_BASE_URL": ""}, "PORTAL_BASE_URL"),
        ({"PORTAL_BASE_URL": "http://ringback.example"}, "PORTAL_BASE_URL"),
        ({"PORTAL_SECURE_COOKIES": "false"}, "PORTAL_SECURE_COOKIES"),
        ({"PORTAL_SECURE_COOKIES": ""}, "PORTAL_SECURE_COOKIES"),
        ({"PORTAL_PROXIES": "0"}, "PORTAL_PROXIES"),
        ({"PORTAL_PROXIES": ""}, "PORTAL_PROXIES"),
    ],
)
def test_ops_06_production_refuses_what_is_only_good_for_trying_out(unsafe, named):
    with pytest.raises(WrongSetting) as refused:
        load(SAFE | unsafe)
    assert str(refused.value).startswith(named)
    assert load(SAFE | unsafe | {"PORTAL_PRODUCTION": "false"})


def test_ops_06_production_names_all_that_is_missing_or_wrong_in_one_refusal_a_line_each():
    environment = {
        "PORTAL_PRODUCTION": "true",
        "PORTAL_PROXIES": "many",
        "PORTAL_POTR": "1",
        "PORTAL_TYPO": "1",
        "PORTAL_METRICS_TOKEN": "change-me-change-me",
        "PORTAL_SMTP_SECURITY": "none",
        "FLASK_DEBUG": "1",
    }
    with pytest.raises(WrongSetting) as refused:
        load(environment)
    lines = str(refused.value).splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        "PORTAL_POTR",
        "PORTAL_TYPO",
        "PORTAL_PROXIES",
        "PORTAL_BASE_URL",
        "PORTAL_SECURE_COOKIES",
        "PORTAL_SMTP_SECURITY",
        "PORTAL_METRICS_TOKEN",
        "FLASK_DEBUG",
    ]
    # Those that are known are told once, and what is wrong is not called missing too.
    assert [line for line in lines if "Known: " in line] == lines[1:2]
    assert lines[2] == "PORTAL_PROXIES is 'many'; it must be a whole number from 0 to 9."
    assert "change-me" not in str(refused.value)


SECRETS = ("METRICS_TOKEN", "ALARM_SECRET", "BACKUP_KEY", "SMTP_PASSWORD")


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "value", ["Change-Me-" * 5, "x" * 40, "your_secret_key_goes_here_now_please", "0" * 64]
)
def test_ops_06_production_refuses_a_secret_that_somebody_forgot_to_replace(name, value):
    with pytest.raises(WrongSetting) as refused:
        load(SAFE | {f"PORTAL_{name}": value})
    assert str(refused.value).startswith(f"PORTAL_{name} is a placeholder.")
    assert value not in str(refused.value)
    assert load({f"PORTAL_{name}": value})


@pytest.mark.parametrize("name", SECRETS)
def test_ops_06_production_takes_every_random_secret(name):
    for _ in range(200):
        assert load(SAFE | {f"PORTAL_{name}": secrets.token_urlsafe(32)})


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("DATABASE_URL", "postgresql://ringback:ringback@db/ringback"),
        ("DATABASE_URL", "postgresql://ringback:changeme@db/ringback"),
        ("DATABASE_URL", "postgresql://ringback:change%6De@db/ringback"),
        ("REDIS_URL", "redis://:password@cache/0"),
    ],
)
def test_ops_06_production_refuses_a_placeholder_for_a_password_in_an_address(name, address):
    with pytest.raises(WrongSetting, match=f"PORTAL_{name} has a placeholder"):
        load(SAFE | {f"PORTAL_{name}": address})
    assert load(SAFE | {"PORTAL_DATABASE_URL": "postgresql://ringback@db/ringback"})
    assert load({f"PORTAL_{name}": address})


@pytest.mark.parametrize("flag", ["1", "true", "yes", "anything"])
def test_ops_06_production_refuses_flasks_debug_mode(flag):
    with pytest.raises(WrongSetting, match="FLASK_DEBUG must not be set in production"):
        load(SAFE | {"FLASK_DEBUG": flag})
    assert load(SAFE | {"FLASK_DEBUG": "0"})
    assert load({"FLASK_DEBUG": flag})


@pytest.mark.parametrize(
    "contact", ["security@ringback.example", "http://ringback.example", "mailto:", "tel:1"]
)
def test_ops_07_a_contact_that_nobody_can_use_is_refused(contact):
    assert refusal(SECURITY_CONTACT=contact).startswith("PORTAL_SECURITY_CONTACT must be like")


def test_pii_02_no_secret_is_shown_with_the_settings():
    names = ("metrics_token", "alarm_url", "alarm_secret", "backup_key", "redis_url", "database_url")
    shown = repr(Settings(**dict.fromkeys(names, "s3cret")))
    assert "s3cret" not in shown


def test_settings_cannot_be_changed_after_the_start():
    with pytest.raises(AttributeError):
        Settings().production = True


@given(
    st.dictionaries(
        st.sampled_from([f"PORTAL_{each.name.upper()}" for each in config.fields(Settings)]), st.text()
    )
)
def test_any_environment_is_read_or_refused_and_never_crashes(environment):
    try:
        found = load(environment)
    except WrongSetting:
        return
    assert 1 <= found.port <= 65535
    assert isinstance(found.worker, bool)


def test_web_11_private_carriers_are_named_one_by_one():
    found = load({"PORTAL_PRIVATE_CARRIERS": " Kannel.internal:13013, 127.0.0.1,,[::1]:80 "})
    assert found.private_hosts == {"kannel.internal:13013", "127.0.0.1", "[::1]:80"}
    assert load({}).private_hosts == frozenset()
    for wrong in ("http://kannel", "10.0.0.0/8", "*", "a b", "kannel:port"):
        assert "PORTAL_PRIVATE_CARRIERS" in refusal(PRIVATE_CARRIERS=wrong)
