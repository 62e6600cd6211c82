"""What do clients see while the disk is full, or the database only reads? And afterwards? (DAT-06)"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import event, select

from portal import database as portal_database
from portal.models import User
from tests.postgresql import SUPERUSER, as_role


@contextmanager
def full(app) -> Iterator[None]:
    """The disk has no room for one page more (SQLite)."""
    with every_connection(app, "PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"):
        yield


@contextmanager
def read_only(app, settings) -> Iterator[None]:
    """The database takes no writes: a disk that was remounted, or a standby after a failover."""
    if not settings.database_url:
        with every_connection(app, "PRAGMA query_only = 1", "PRAGMA query_only = 0"):
            yield
        return
    superuser = as_role(settings.database_url, SUPERUSER).replace("+psycopg", "")
    with psycopg.connect(superuser, autocommit=True) as operator:
        name = operator.execute("SELECT current_database()").fetchone()[0]
        set_to = f'ALTER DATABASE "{name}" SET default_transaction_read_only = '
        operator.execute(f"{set_to}on".encode())
        forget_connections(app)
        try:
            yield
        finally:
            operator.execute("SET default_transaction_read_only = off")
            operator.execute(f"{set_to}off".encode())
            forget_connections(app)


@contextmanager
def every_connection(app, before: str, after: str) -> Iterator[None]:
    """What each connection of the app is told while this lasts, and once more afterwards."""
    with app.app_context():
        engine = portal_database.db.engine

    def tell(words: str):
        return lambda connection, *_about: connection.execute(words)

    for words, is_over in ((before, False), (after, True)):
        told = tell(words)
        event.listen(engine, "checkout", told)
        if not is_over:
            yield
            event.remove(engine, "checkout", told)


def forget_connections(app) -> None:
    with app.app_context():
        portal_database.db.engine.dispose()


def sign_ups(kii, count: int, first: int = 0) -> list:
    return [
        kii.register("RegistrationAndAuthorizationRequest", loginName=f"user{at}", password="pass1234")
        for at in range(first, first + count)
    ]


def is_there(session, answer) -> bool:
    return bool(session.scalar(select(User.id).where(User.id == answer.json["userID"])))


@pytest.mark.parametrize("database", ["sqlite"])
def test_dat_06_a_full_disk_gives_503_and_no_false_success_and_heals_by_itself(app, kii, session):
    with full(app):
        answers = sign_ups(kii, 40)
    assert {answer.status_code for answer in answers} <= {201, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert all(is_there(session, answer) for answer in answers if answer.status_code == 201)
    [again] = sign_ups(kii, 1, first=100)
    assert again.status_code == 201


def test_dat_06_a_database_that_only_reads_gives_503_and_heals_by_itself(app, kii, session, settings):
    with read_only(app, settings):
        answers = sign_ups(kii, 3)
        assert kii.call("GET", "/openapi.json").status_code == 200
    assert {answer.status_code for answer in answers} == {503}
    assert "read" not in answers[0].get_data(as_text=True)
    [again] = sign_ups(kii, 1, first=100)
    assert (again.status_code, is_there(session, again)) == (201, True)
