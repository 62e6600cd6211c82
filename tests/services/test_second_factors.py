"""One account has one authenticator app, however often it begins."""

from sqlalchemy import select

from portal.models import Totp
from tests.services.racing import race


def test_whoever_begins_twice_at_once_gets_one_key(desk, settings):
    olga = desk.owner("olga@example.com")
    endings = race(settings, desk.app_id, [("begin_app", olga.id)] * 8, processes=2)

    assert endings == {"done": 8}
    assert len(desk.rows(select(Totp.account_id))) == 1
