"""Is the fence there in each transaction, whatever happened to its connection before?"""

import base64

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

import portal.database
from portal.services import beginnings, fences
from portal.watch.auditor import Auditor

# SQLite has no fence.
pytestmark = pytest.mark.parametrize("database", ["postgresql"])


@pytest.fixture
def rows(app):
    with app.app_context():
        yield portal.database.db


def said(session) -> str:
    return session.scalar(text("SELECT current_setting('ringback.app_id', true)"))


def test_a_walk_through_the_audit_log_leaves_its_connection_as_fast_as_it_was(app, rows):
    session = rows.session()
    fences.stand(session, "shop")
    assert said(session) == "shop"
    driver = session.connection().connection.driver_connection
    assert (driver.isolation_level, driver.read_only, driver.deferrable) == (None, None, None)
    rows.session.remove()
    auditor = Auditor(app, walk_every=0)
    while auditor.look():
        pass
    rows.session.remove()
    session = rows.session()
    fences.stand(session, "shop")
    assert said(session) == "shop"
    driver = session.connection().connection.driver_connection
    assert (driver.isolation_level, driver.read_only, driver.deferrable) == (None, None, None)


def test_ten_03_a_backend_that_ends_right_at_the_beginning_loses_no_fence(app, rows, engine):
    session = rows.session()
    fences.stand(session, "shop")
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    session.rollback()

    def kill(_connection) -> None:
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    event.listen(rows.engine, "begin", kill)
    try:
        with pytest.raises(DBAPIError) as told:
            session.execute(text("SELECT 1"))
        assert told.value.connection_invalidated
    finally:
        event.remove(rows.engine, "begin", kill)
    rows.session.remove()
    session = rows.session()
    fences.stand(session, "one")
    assert said(session) == "one"


@pytest.mark.parametrize("named", ["one", "*", "x' || 'y", "x\n"])
def test_ten_03_only_an_app_s_id_is_ever_said_and_the_next_user_of_a_connection_says_nothing(rows, named):
    wanted = named if named == "one" else ""
    session = rows.session()
    fences.stand(session, named)
    assert said(session) == wanted
    with session.begin_nested() as nested:
        assert said(session) == wanted
        nested.rollback()
    with fences.lifted(session):
        assert said(session) == "*"
    session.commit()
    assert said(session) == wanted
    rows.session.remove()
    assert said(rows.session()) in ("", None)
    rows.session.remove()


def test_ten_03_a_savepoint_first_an_error_in_it_and_a_failed_statement(rows):
    session = rows.session()
    fences.stand(session, "shop")
    nested = session.begin_nested()
    assert said(session) == "shop"
    with pytest.raises(DBAPIError):
        session.execute(text("SELECT 1/0"))
    nested.rollback()
    assert said(session) == "shop"
    with pytest.raises(DBAPIError):
        session.execute(text("SELECT 1/0"))
    session.rollback()
    assert said(session) == "shop"


CANCELLED = "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(2), '%s'"


def test_a_beginning_that_is_cancelled_is_trouble_that_passes(client, shop, monkeypatch):
    """As by statement_timeout, or by an administrator: 503, as of any other statement (OPS-03)."""
    monkeypatch.setattr(beginnings, "_BEGIN_SAYING", f"BEGIN; {CANCELLED}")
    monkeypatch.setattr(fences, "_SAY", CANCELLED.replace("'%s'", "%s"))
    answer = client.get(f"/api/apps/{shop.id}/users/me", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503


def test_a_beginning_that_is_cancelled_once_is_made_once_more(client, shop, monkeypatch):
    monkeypatch.setattr(beginnings, "_BEGIN_SAYING", f"BEGIN; {CANCELLED}")
    answer = client.get(f"/api/apps/{shop.id}/users/me", headers={"Authorization": "Bearer x"})
    assert answer.json["errorCode"] == "WRONG_TOKEN"


HOSTILE = [
    "x'); DROP TABLE app; --",
    "*",
    "x' || '*",
    "x\\'",
    "a" * 37,
    "é",
    "x\n",
    "١",
    "', true), '*",
    "%s",
    "%00",
]


@pytest.mark.parametrize("evil", HOSTILE)
def test_ten_03_no_app_id_that_is_sent_says_anything_else(client, shop, engine, evil):
    basic = {"Authorization": f"Basic {base64.b64encode(f'{evil}:x'.encode()).decode()}"}
    heard: list[str] = []

    def listen(_session, _transaction, connection) -> None:
        heard.append(connection.exec_driver_sql("SELECT current_setting('ringback.app_id', true)").scalar())

    event.listen(portal.database.db.session, "after_begin", listen)
    try:
        for method, path, headers in (
            ("GET", f"/api/apps/{evil}/users/me", basic),
            ("GET", f"/api/apps/{evil}/users/me", {"Authorization": "Bearer x", "X-Kii-AppID": "*"}),
            ("POST", "/api/oauth2/token", basic),
        ):
            login = {"username": "a", "password": "b"}
            assert client.open(path, method=method, headers=headers, json=login).status_code < 500
    finally:
        event.remove(portal.database.db.session, "after_begin", listen)
    assert "*" not in heard
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM app")).scalar_one() == 1
