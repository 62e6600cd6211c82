"""What do machines that watch get told, and what do strangers not?"""

import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from portal import database
from portal.factory import create_app
from portal.probes import readiness

TOKEN = "a-token-of-the-operator"


@pytest.fixture
def settings(settings):
    """An installation in production, whose pages answer only for its own host."""
    return replace(
        settings,
        metrics_token=TOKEN,
        production=True,
        base_url="https://ringback.example",
        secure_cookies=True,
    )


def test_ops_01_a_probe_by_address_is_answered_without_host_session_or_cookie(client, app):
    for path, said in (("/healthz", b"alive\n"), ("/readyz", b"ready\n")):
        answer = client.get(path, headers={"Host": "10.1.2.3:8080"})
        assert (answer.status_code, answer.data) == (200, said)
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/sign-in", headers={"Host": "10.1.2.3:8080"}).status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_only_asked(client, path):
    answer = client.post(path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert client.head("/healthz").data == b""


def test_ops_01_without_a_database_it_is_alive_and_not_ready_and_ready_once_it_is_back(client, monkeypatch):
    def away(*_):
        raise OperationalError("SELECT", {}, Exception("secret host 10.0.0.1 is away"))

    with monkeypatch.context() as broken:
        broken.setattr(readiness, "_fault_of", away)
        answer = client.get("/readyz")
        assert (answer.status_code, answer.data) == (503, b"not ready\n")
        assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_ops_01_a_database_that_hangs_costs_a_probe_a_second_and_many_probes_one_thread(
    client, app, monkeypatch
):
    release, looks = threading.Event(), []

    def hang(_connection):
        looks.append(1)
        release.wait(30)
        return ""

    monkeypatch.setattr(readiness, "_fault_of", hang)
    for _ in range(3):
        began = time.monotonic()
        assert client.get("/readyz").status_code == 503
        assert time.monotonic() - began < 2
    release.set()
    assert app.extensions["probes"].readiness._look.result(20) == ""
    assert len(looks) == 1


def test_ops_01_another_schema_is_not_ready(client, engine):
    with engine.connect() as connection:
        before = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        try:
            assert client.get("/readyz").status_code == 503
        finally:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": before})
    assert client.get("/readyz").status_code == 200


def test_ops_01_a_pragma_that_does_not_hold_is_not_ready(client, app, database, monkeypatch):
    import portal.database

    assert client.get("/readyz").status_code == 200
    # The connection that is there already was made with the right one.
    monkeypatch.setitem(portal.database.PRAGMAS, "busy_timeout", 1)
    assert client.get("/readyz").status_code == (503 if database == "sqlite" else 200)


def test_ops_03_whoever_leaves_is_not_ready(client, app):
    app.extensions["probes"].readiness.is_leaving = lambda: True
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer ü\xff"]
)
def test_ops_01_metrics_need_their_credential(client, shown):
    answer = client.get("/metrics", headers={} if shown is None else {"Authorization": shown})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"ringback" not in answer.data


def test_ops_01_without_a_token_there_are_no_metrics(settings):
    app = create_app(replace(settings, metrics_token=""))
    assert app.test_client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    with app.app_context():
        database.db.engine.dispose()
