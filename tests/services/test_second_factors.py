"""One account has one authenticator app, however often it begins."""

import pytest
from sqlalchemy import select, update

from portal import clock as portal_clock
from portal.core import totp
from portal.errors import WrongPassword
from portal.models import Totp
from portal.services import second_factors
from portal.services.context import Context
from tests.services.racing import race


def test_whoever_begins_twice_at_once_gets_one_key(desk, settings):
    olga = desk.owner("olga@example.com")
    endings = race(settings, desk.app_id, [("begin_app", olga.id)] * 8, processes=2)

    assert endings == {"done": 8}
    assert len(desk.rows(select(Totp.account_id))) == 1


def test_web_09_a_code_confirms_no_other_key_than_the_one_that_was_scanned(desk, clock, monkeypatch):
    olga = desk.owner("olga@example.com")
    desk.do(second_factors.begin_app, olga)
    scanned = desk.do(second_factors.app_key, olga)
    typed = totp.code_at(scanned, portal_clock.now() // 30_000)
    step_of = totp.step_of

    def while_they_begin_anew(*given):
        anew = update(Totp).values(sealed=b"another key")
        ctx.session.execute(anew, execution_options={"synchronize_session": False})
        return step_of(*given)

    monkeypatch.setattr(totp, "step_of", while_they_begin_anew)
    with desk.transaction() as session:
        ctx = Context(session, olga, portal_clock.now(), desk.keys, desk.profile)
        with pytest.raises(WrongPassword):
            second_factors.confirm_app(ctx, typed)
    assert desk.rows(select(Totp.confirmed_at)) == [None]
