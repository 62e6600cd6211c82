"""Is Ringback back by itself, on the right server, when a standby took over? On two real servers (DAT-03)."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from portal import database as portal_database
from portal.bells import Listener
from portal.config import Settings
from portal.factory import create_app
from tests import postgresql
from tests.bench.servers import free_port
from tests.cli.conftest import operator
from tests.journeys.conftest import NAME, answered, client_of, code_of, make_database, serving

__all__ = ["operator"]

NUMBER, OTHER = "+819012345678", "+818087654321"
ROOT = Path(__file__).parents[2]
READ_WRITE = "?target_session_attrs=read-write"


@pytest.fixture
def both(two) -> str:
    """The address that names both servers, as libpq takes it."""
    make_database(two)
    return f"127.0.0.1:{two.primary.port},127.0.0.1:{two.standby.port}"


@pytest.fixture
def served(both, tmp_path) -> Iterator:
    with serving(tmp_path, both, READ_WRITE) as app:
        yield app


@pytest.mark.slow
def test_dat_03_an_address_of_both_servers_finds_the_one_that_took_over(two, served, kii, both):
    """Requests, readiness and the bell, with no gate or balancer between them."""
    dora = kii.sign_up(phoneNumber=NUMBER)
    code = code_of(kii, dora.id)
    rings = []
    listener = Listener(make_url(address_of(both)), lambda: rings.append(time.monotonic()))
    listener.start()
    assert_soon(lambda: rings)
    two.catch_up()
    two.primary.kill()
    assert dora.verify(code).status_code == 503
    assert kii.http.get("/readyz").status_code == 503
    before = len(rings)
    two.standby.ask("SELECT pg_promote()")

    answer, seen = answered(lambda: dora.verify(code))
    assert answer.status_code == 410, seen
    assert dora.change_phone(OTHER).status_code == 204
    assert dora.verify(code_of(kii, dora.id)).status_code == 200
    assert kii.http.get("/readyz").status_code == 200
    # It rings when it listens again, on the new server.
    assert_soon(lambda: len(rings) > before)
    assert two.standby.ask("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^LISTEN'", NAME) == [(1,)]
    listener.stop()


@pytest.mark.slow
def test_dat_03_the_former_primary_that_is_started_again_is_asked_no_more(two, gate, tmp_path):
    make_database(two)
    with serving(tmp_path, f"127.0.0.1:{gate.port}") as app:
        kii = client_of(app)
        dora, eve = kii.sign_up(phoneNumber=NUMBER), kii.sign_up(phoneNumber=OTHER)
        code = code_of(kii, dora.id)
        two.catch_up()
        two.fail_over()
        gate.shut()
        gate.lead_to(two.standby.port)
        gate.open()
        answered(lambda: dora.verify(code))
        # Nobody fenced it off, and the address leads to it once more.
        two.primary.start()
        gate.shut()
        gate.lead_to(two.primary.port)
        gate.open()
        with capture_logs() as logged:
            assert eve.verify(code_of_is_refused(kii, eve.id)).status_code == 503
        assert {each["event"] for each in logged} >= {"database_is_former"}
        assert kii.http.get("/readyz").status_code == 503
        verified = """SELECT count(*) FROM "user" WHERE phone_number_verified"""
        assert two.primary.ask(verified, NAME) == [(0,)]
        gate.shut()
        gate.lead_to(two.standby.port)
        gate.open()
        assert answered(lambda: dora.ask("GET"))[0].status_code == 200


def code_of_is_refused(kii, user_id: str) -> str:
    answer = kii.ask("GET", f"/users/{user_id}/phone-number/verification-code")
    assert answer.status_code == 503
    return "000000"


@pytest.mark.slow
@pytest.mark.parametrize("command", [["serve"], ["serve", "--workers", "2"], ["worker"]], ids=" ".join)
def test_dat_03_whoever_is_pointed_at_a_standby_is_refused_at_once_in_one_line(two, tmp_path, command):
    make_database(two)
    two.catch_up()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
    own = {
        "PORTAL_HOME": str(tmp_path),
        "PORTAL_PORT": str(free_port()),
        "PORTAL_DATABASE_URL": address_of(f"127.0.0.1:{two.standby.port}", ""),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "portal", *command],
        cwd=ROOT,
        env=kept | own,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: The database takes no writes: it is a standby")
    assert len(ended.stderr.splitlines()) == 1


def test_dat_03_a_database_that_takes_no_writes_makes_a_server_unready_and_the_doctor_says_so(
    client, settings, database, operator
):
    assert client.get("/readyz").status_code == 200
    if database == "sqlite":
        return
    only_reads = f"{settings.database_url}?options=-c%20default_transaction_read_only%3Don"
    app = create_app(replace(settings, database_url=only_reads, log_level="warning"))
    with capture_logs() as logged:
        assert app.test_client().get("/readyz").status_code == 503
    assert [each.get("why") for each in logged] == ["the database takes no writes"]
    with app.app_context():
        portal_database.db.engine.dispose()
    operator.environment["PORTAL_DATABASE_URL"] = only_reads
    assert "bad   writes: PostgreSQL takes no writes here" in operator.types("doctor").stdout


def address_of(where: str, options: str = READ_WRITE) -> str:
    """The address for SQLAlchemy, as Ringback makes it of the setting."""
    url = f"postgresql://{postgresql.APP}@{where}/{NAME}{options}"
    return Settings(database_url=url).sqlalchemy_url


def assert_soon(condition, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
