"""Where does a journey start? On a machine without Ringback, with a browser; or on two database servers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from portal import database as portal_database
from portal.config import Settings
from portal.factory import create_app
from portal.models import ActorKind
from portal.own_work import of_all_apps
from portal.services import apps
from portal.services.context import Caller
from tests import postgresql, standby
from tests.browser.chromium import browser_type_launch_args, context, page, scripts, watch
from tests.browser.installations import Installation, running
from tests.conftest import migrate_for_app
from tests.drivers import KiiClient
from tests.gate import Gate

__all__ = ["browser_type_launch_args", "context", "page", "scripts", "watch"]

NAME = "ringback"


@pytest.fixture
def installation(database: str, empty_url: str, tmp_path) -> Iterator[Installation]:
    """Ringback as `make run` starts it: on SQLite with no setting at all, or on an empty PostgreSQL."""
    with running(tmp_path / "home", "" if database == "sqlite" else empty_url) as installation:
        yield installation


@pytest.fixture
def site(installation: Installation) -> str:
    """The address that was printed."""
    return installation.address


# --- Two servers -------------------------------------------------------------------------------------------


@pytest.fixture
def two() -> Iterator[standby.Pair]:
    """Two real servers, one of which follows the other."""
    try:
        with standby.pair() as two:
            yield two
    except postgresql.NoPostgresql as missing:
        pytest.skip(str(missing))


@pytest.fixture
def gate(two) -> Iterator[Gate]:
    """The address that applications use; it leads to whichever server is the primary."""
    gate = Gate("127.0.0.1", two.primary.port)
    yield gate
    gate.shut()


@pytest.fixture
def served(two, gate, tmp_path) -> Iterator[Flask]:
    """The real app on the primary, behind the gate; its database is made there."""
    make_database(two)
    with serving(tmp_path, f"127.0.0.1:{gate.port}") as app:
        yield app


def make_database(two: standby.Pair) -> None:
    """Makes Ringback's database on the primary."""
    migrate_for_app(postgresql.create_database(f"127.0.0.1:{two.primary.port}", NAME))


@contextmanager
def serving(home: Path, where: str, options: str = "") -> Iterator[Flask]:
    """The real app over the database at `where` (`host:port`, or several)."""
    url = f"postgresql://{postgresql.APP}@{where}/{NAME}{options}"
    app = create_app(Settings(home=home, database_url=url, worker=False, log_level="warning"))
    app.testing = True
    yield app
    with app.app_context():
        portal_database.db.engine.dispose()


@pytest.fixture
def kii(served) -> KiiClient:
    """A client of an app of its own on the primary."""
    return client_of(served)


def client_of(served, name: str = "Shop") -> KiiClient:
    """A client of a new app that asks for verification."""
    parts = served.extensions["ringback"]
    with of_all_apps(served), portal_database.transaction() as session:
        ctx = parts.context(session, Caller(ActorKind.OPERATOR))
        made = apps.create(ctx, apps.NewApp(name=name, home_country="JP"))
        here = ctx.in_app(made.app.id)
        apps.change(here, apps.AppChanges(phone_number_verification_required=True))
    return KiiClient(served.test_client(), made.app.id, made.app.client_id, made.client_secret)


def code_of(kii: KiiClient, user_id: str) -> str:
    """The code that a user was sent."""
    answer = kii.as_admin().ask("GET", f"/users/{user_id}/phone-number/verification-code")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json["verificationCode"]


def answered(ask, seconds: float = 30) -> tuple:
    """The first answer that is no 503, and all statuses until then; DAT-03 allows 30 s."""
    until, seen = time.monotonic() + seconds, []
    while True:
        answer = ask()
        seen.append(answer.status_code)
        if answer.status_code != 503:
            return answer, seen
        assert time.monotonic() < until, seen
        time.sleep(0.2)
