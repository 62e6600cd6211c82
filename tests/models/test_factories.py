"""Are the rows that tests start from valid, each noun of them?"""

import pytest
from sqlalchemy import func, select

from portal.models import Base
from tests import factories

NOUNS = sorted(Base.metadata.tables)


@pytest.mark.parametrize("noun", NOUNS)
def test_it_makes_a_row_of_each_noun_in_one_call(session, noun):
    row = getattr(factories, noun)(session)

    assert row.__tablename__ == noun
    assert session.scalar(select(func.count()).select_from(type(row))) == 1


def test_it_takes_columns_by_name(session):
    shop = factories.app(session, name="Shop")
    ken = factories.user(session, app_id=shop.id, phone_number="+819012345678")

    assert (ken.app_id, ken.phone_number) == (shop.id, "+819012345678")
