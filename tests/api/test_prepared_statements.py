"""Does PostgreSQL plan what the API asks over and over only once, and what people look for each time?"""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

import portal.database
from portal.models import Account
from portal.services import beginnings, fences
from tests import factories

# SQLite plans in microseconds, in the process itself.
pytestmark = pytest.mark.parametrize("database", ["postgresql"])
OFTEN = 8


@pytest.fixture
def session(app):
    """A session within an app, as the API door has it."""
    with app.app_context():
        found = portal.database.db.session()
        fences.stand(found, "shop")
        yield found


def ask(session, times: int = OFTEN) -> None:
    for _ in range(times):
        session.execute(text("SELECT count(*) FROM app WHERE id = :id"), {"id": "shop"}).scalar()
        session.rollback()


def prepared(session) -> int:
    """How many statements the session's connection has prepared, looking without preparing another."""
    driver = session.connection().connection.driver_connection
    return int(driver.pgconn.exec_(b"SELECT count(*) FROM pg_prepared_statements").get_value(0, 0))


def test_what_is_asked_often_is_prepared_though_each_transaction_is_rolled_back(session):
    ask(session)
    assert prepared(session) == 1
    ask(session, 1)
    assert prepared(session) == 1


def test_a_failed_transaction_is_rolled_back_too_and_forgets_nothing(session):
    ask(session)
    with pytest.raises(DBAPIError):
        session.execute(text("SELECT 1 / 0"))
    session.rollback()
    assert prepared(session) == 1
    assert session.scalar(text("SELECT current_setting('ringback.app_id', true)")) == "shop"


def test_what_was_written_and_rolled_back_is_gone(session):
    fences.open_to_all(session)
    made = factories.account(session)
    session.flush()
    session.rollback()
    assert not session.in_transaction()
    assert session.scalars(select(Account).where(Account.id == made.id)).all() == []


def test_what_people_look_for_is_planned_for_its_very_values(session):
    ask(session)
    beginnings.plan_anew(session)
    before = prepared(session)
    for _ in range(OFTEN):
        session.scalar(text("SELECT count(*) FROM app WHERE name = :name"), {"name": "shop"})
        session.rollback()
    assert prepared(session) == before


def test_a_page_prepares_nothing_and_leaves_what_is_prepared_to_the_api(client, shop, app):
    path = f"/api/apps/{shop.id}/users/nobody"
    with app.app_context():
        session = portal.database.db.session()
        fences.stand(session, shop.id)
        ask(session)
        before = prepared(session)
    for _ in range(OFTEN):
        assert client.get("/sign-in").status_code == 200
        assert client.get(path).status_code == 401
    with app.app_context():
        session = portal.database.db.session()
        fences.stand(session, shop.id)
        assert prepared(session) >= before
