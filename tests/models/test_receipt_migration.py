"""Do counted receipts stay counted when they are told apart by what they lack, and is there a way back?"""

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.orm import Session

from tests import factories
from tests.conftest import migrate

OLD, NEW = "0015", "0016"
KEY = ["app_id", "provider_id", "hour"]


@pytest.fixture
def new(empty_url):
    """A database in which a carrier sent receipts of two kinds within an hour."""
    migrate(empty_url)
    engine = create_engine(empty_url)
    with Session(engine) as session:
        first = factories.unreadable_receipt(session, trouble="no_state", receipts=3, hour=0)
        factories.unreadable_receipt(
            session, provider_id=first.provider_id, trouble="wrong_json", receipts=1, hour=0
        )
        session.commit()
    yield engine
    engine.dispose()


def key(engine) -> list[str]:
    return inspect(engine).get_pk_constraint("unreadable_receipt")["constrained_columns"]


def test_what_was_counted_stays_and_a_second_kind_of_the_hour_finds_a_place(new, empty_url):
    migrate(empty_url, OLD, down=True)
    assert key(new) == KEY
    put = "INSERT INTO unreadable_receipt SELECT app_id, id, 0, 7, 9, :trouble FROM provider"
    with new.begin() as connection:
        connection.execute(text(put), {"trouble": "no_state"})

    migrate(empty_url, NEW)
    assert key(new) == [*KEY, "trouble"]
    with new.begin() as connection:
        connection.execute(text(put), {"trouble": "no_fields"})
        found = connection.execute(text("SELECT trouble, receipts FROM unreadable_receipt ORDER BY trouble"))
        assert [tuple(row) for row in found] == [("no_fields", 7), ("no_state", 7)]
