"""Does an app have another revision after everything that a revision speaks for, whoever changed it?"""

import pytest
from sqlalchemy import Boolean, Integer, delete, insert, select, text, update

from portal.models import App, OpenCountry, SmsTemplate, User
from tests import factories

OWN = sorted(set(App.__table__.c.keys()) - {"id", "revision"})


@pytest.fixture
def shop(session) -> App:
    return factories.app(session, web_domain="shop.example", android_hash="A" * 11)


def revision_of(session, app: App) -> str:
    """As the database has it, past what the ORM remembers."""
    found = session.scalar(select(App.__table__.c.revision).where(App.id == app.id))
    assert found
    assert len(found) == 32
    return found


def another(column) -> object:
    """A value that a column may have and has not by default."""
    if isinstance(column.type, Boolean):
        return not (column.default.arg if column.default else False)
    if isinstance(column.type, Integer):
        return 4 if column.name == "code_length" else 60 if column.name == "code_life_s" else 3
    by_name = {"mode": "live", "number_taken": "move", "home_country": "DE", "currency": "EUR"}
    return by_name.get(column.name, "another")


@pytest.mark.parametrize("name", OWN)
def test_each_of_its_own_columns_gives_a_new_one(session, shop, name):
    before = revision_of(session, shop)
    column = App.__table__.c[name]
    session.execute(
        update(App.__table__).where(App.__table__.c.id == shop.id).values({name: another(column)})
    )
    assert revision_of(session, shop) != before


def test_countries_that_open_and_close_give_new_ones(session, shop):
    seen = [revision_of(session, shop)]
    for change in (
        insert(OpenCountry).values(app_id=shop.id, country="JP"),
        update(OpenCountry).where(OpenCountry.app_id == shop.id).values(country="DE"),
        delete(OpenCountry).where(OpenCountry.app_id == shop.id),
    ):
        session.execute(change)
        seen.append(revision_of(session, shop))
    assert len(set(seen)) == len(seen) == 4


def test_wordings_that_come_into_force_and_go_give_new_ones(session, shop):
    seen = [revision_of(session, shop)]
    of_shop = SmsTemplate.app_id == shop.id
    row = {"app_id": shop.id, "locale": "ja", "current_version": 1, "created_at": 1, "modified_at": 1}
    for change in (
        insert(SmsTemplate).values(row),
        update(SmsTemplate).where(of_shop).values(current_version=2),
        delete(SmsTemplate).where(of_shop),
    ):
        session.execute(change)
        seen.append(revision_of(session, shop))
    assert len(set(seen)) == len(seen) == 4


def test_other_apps_keep_theirs_and_users_change_nothing(session, shop):
    other = factories.app(session)
    before = revision_of(session, shop), revision_of(session, other)
    factories.user(session, app_id=shop.id, login_name="alice")
    session.execute(update(User).where(User.app_id == shop.id).values(locale="ja"))
    assert (revision_of(session, shop), revision_of(session, other)) == before

    session.execute(insert(OpenCountry).values(app_id=shop.id, country="JP"))
    assert revision_of(session, other) == before[1]


def test_an_app_that_goes_takes_its_parts_along(session, shop):
    session.execute(insert(OpenCountry).values(app_id=shop.id, country="JP"))
    session.execute(delete(App).where(App.id == shop.id))
    assert session.scalar(text("SELECT count(*) FROM open_country")) == 0
