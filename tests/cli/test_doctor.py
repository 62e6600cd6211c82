"""Does the doctor see what is wrong, and say what to do?"""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from portal import clock as portal_clock
from portal.cli import machine_checks
from portal.cli.findings import State
from portal.core import credentials
from portal.revisions import needed
from tests import factories


@pytest.fixture
def examine(operator) -> Callable[[], dict[str, list[dict]]]:
    """`examine()` is what the doctor finds, by what was looked at."""

    def look() -> dict[str, list[dict]]:
        answer = operator.types("doctor", "--json")
        told = json.loads(answer.stdout)
        by_name: dict[str, list[dict]] = {}
        for finding in told["findings"]:
            by_name.setdefault(finding["name"], []).append(finding)
        is_well = all(each["state"] != "bad" for each in told["findings"])
        assert (answer.exit_code, told["well"]) == (0 if is_well else 1, is_well)
        return by_name

    return look


def states(findings: list[dict]) -> list[str]:
    return [each["state"] for each in findings]


@pytest.fixture
def home(settings, keys):
    """The installation's folder, closed as `portal` closes it."""
    settings.home.chmod(0o700)
    for path in settings.home.iterdir():
        path.chmod(0o600)
    return settings.home


def test_an_installation_that_is_well_is_said_to_be(operator, session, home, database):
    factories.worker_beat(session)
    answer = operator.types("doctor")
    lines = answer.stdout.splitlines()
    if database == "sqlite":
        assert (answer.exit_code, lines[-1]) == (0, "All is well.")
    else:
        # The tests' own server does not wait for the disk, and the doctor notices.
        assert (answer.exit_code, lines[-1]) == (1, "1 to mend.")
        assert any(line.startswith("bad   promises: PostgreSQL does not wait") for line in lines)
    assert all(line.split()[0] in ("ok", "note", "bad") for line in lines[:-1])
    assert "ok    workers: 1 alive." in lines
    assert f"ok    schema: It is {needed()}." in lines


def test_settings_that_make_no_sense_are_the_only_finding(operator):
    operator.environment["PORTAL_PORT"] = "eighty"
    answer = operator.types("doctor")
    assert answer.exit_code == 1
    assert answer.stdout.splitlines()[0].startswith("bad   settings: PORTAL_PORT is 'eighty'")


def test_a_worker_that_is_not_there_has_to_be_started(examine, session, home):
    found = examine()["workers"][0]
    assert (found["state"], found["do"]) == ("bad", "Run: portal serve, or portal worker")
    assert "None is running" in found["says"]
    factories.worker_beat(session, beat_at=portal_clock.now() - 60_000)
    assert "The last was seen" in examine()["workers"][0]["says"]


def test_files_that_others_may_open_have_to_be_closed(examine, home):
    (home / "keys.json").chmod(0o644)
    home.chmod(0o755)
    found = [each for each in examine()["rights"] if each["state"] == "bad"]
    assert [each["do"].split()[1:3] for each in found] == [["chmod", "700"], ["chmod", "600"]]


def test_damaged_keys_are_found(examine, home):
    (home / "keys.json").write_text("{}")
    assert states(examine()["keys"]) == ["bad"]


@pytest.mark.parametrize(("free", "state"), [(100, State.BAD), (500, State.NOTE), (5_000, State.OK)])
def test_a_full_disk_is_seen_coming(tmp_path, monkeypatch, free, state):
    class Usage:
        pass

    Usage.free = free * 1024 * 1024
    monkeypatch.setattr(machine_checks.shutil, "disk_usage", lambda _: Usage)
    assert machine_checks._disk(tmp_path).state is state


def test_another_schema_and_a_missing_one_are_told(operator, examine, newcomer, engine, home):
    found = examine()["schema"][0]
    assert (found["state"], "portal migrate" in found["says"] + found["do"]) == ("bad", True)
    operator.types("migrate")
    assert states(examine()["schema"]) == ["ok"]


def test_an_old_schema_is_told(examine, engine, home):
    with engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        assert examine()["schema"][0]["says"] == f"It is 0001, and this Ringback needs {needed()}."
    finally:
        with engine.connect() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :needed"), {"needed": needed()})


def test_a_database_that_is_away_is_told_without_its_password(operator, examine, home):
    operator.environment["PORTAL_DATABASE_URL"] = "postgresql://postgres:hush@127.0.0.1:1/ringback"
    found = examine()["database"][0]
    assert found["state"] == "bad"
    assert "hush" not in str(found)


def test_a_carrier_whose_credentials_do_not_open_or_that_is_paused_is_told(
    examine, session, keys, shop, home
):
    good = factories.provider(session, app_id=shop.id, label="Good")
    version, sealed = credentials.close(keys.sealing, shop.id, good.id, {"token": "s3cret-token"})
    good.sealing_key_version, good.sealed = version, sealed
    # Sealed for another row: as if somebody had copied it over (OPS-05).
    factories.provider(session, app_id=shop.id, label="Bad", sealing_key_version=version, sealed=sealed)
    factories.provider(
        session, app_id=shop.id, label="Paused", failures_in_row=5, paused_until=portal_clock.now() + 9_000
    )
    once = factories.provider(
        session, app_id=shop.id, label="Refused", failures_in_row=1, paused_until=portal_clock.now() + 9_000
    )
    session.flush()
    found = examine()["carrier"]
    assert states(found) == ["ok", "bad", "bad", "bad"]
    assert "do not open" in found[1]["says"]
    assert "5 times in a row" in found[2]["do"]
    assert (once.label in found[3]["says"], found[3]["do"]) == (True, "It failed once.")
    assert "s3cret" not in str(found)


def test_alarms_and_a_quarantine_are_told(examine, session, home):
    factories.alarm(session, name="backlog", level="page")
    factories.quarantine(session)
    found = examine()
    assert states(found["alarm"]) == ["bad"]
    assert "start more workers" in found["alarm"][0]["do"]
    assert found["quarantine"][0]["do"] == "Run: portal quarantine"


def test_a_redis_that_is_away_has_to_be_started(operator, examine, home):
    operator.environment["PORTAL_REDIS_URL"] = "redis://127.0.0.1:1/0"
    assert states(examine()["limits"]) == ["bad"]


def test_pii_07_a_log_that_was_tampered_with_is_told_with_what_to_do(examine, session, home):
    factories.alarm(session, name="audit_tampered", level="page", about="0123456789abcdef")

    [found] = examine()["alarm"]
    assert (found["state"], "0123456789abcdef" in found["says"]) == ("bad", True)
    assert "`portal audit verify APPID`, then `portal audit restart`" in found["do"]


def test_in_production_metrics_and_alarms_are_missed(settings):
    chosen = replace(settings, production=True, base_url="https://ringback.example", proxies=1)
    found = {each.name: each for each in machine_checks.look(chosen)}
    assert found["production"].state is State.OK
    assert found["watching"].do == "Set PORTAL_METRICS_TOKEN and PORTAL_ALARM_URL."
    chosen = replace(chosen, metrics_token="a" * 16, alarm_url="https://ops.example/hook")
    assert {each.name: each for each in machine_checks.look(chosen)}["watching"].state is State.OK
