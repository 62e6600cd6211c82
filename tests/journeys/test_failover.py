"""Does a used code stay used when a standby that lags takes over? On two real servers (DAT-03)."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import create_engine, select, text
from structlog.testing import capture_logs

from portal import database as portal_database
from portal.factory import create_app
from portal.models import Alarm, Verification
from portal.models.app_fence import ALL_APPS
from portal.own_work import of_all_apps
from portal.services import database_timelines, fences
from tests import postgresql
from tests.drivers import KiiClient
from tests.journeys.conftest import answered, code_of

NUMBER, OTHER = "+819012345678", "+818087654321"


@pytest.mark.slow
def test_dat_03_a_code_used_before_a_failover_works_no_more_on_a_standby_that_lagged(two, gate, served, kii):
    dora, eve = kii.sign_up(phoneNumber=NUMBER), kii.sign_up(phoneNumber=OTHER)
    code, unused = code_of(kii, dora.id), code_of(kii, eve.id)
    gone = kii.sign_up(phoneNumber="+819033334444")
    two.catch_up()
    two.cut_off()
    served.extensions["watchman"].keep_journal()
    assert dora.verify(code).status_code == 200
    assert gone.ask("DELETE").status_code == 204
    served.extensions["watchman"].keep_journal()
    forgotten = two.standby.ask("SELECT count(*) FROM verification WHERE state = 'open'", "ringback")
    assert forgotten == [(3,)], "the standby knows nothing of the use"

    two.primary.kill()
    assert dora.verify(code).status_code == 503
    began = time.monotonic()
    two.standby.ask("SELECT pg_promote()")
    gate.lead_to(two.standby.port)
    answer, seen = answered(lambda: dora.verify(code))

    assert time.monotonic() - began < 30, seen
    assert (answer.status_code, answer.json["errorCode"]) == (410, "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED")
    assert eve.verify(unused).status_code == 410
    assert dora.refresh()["phoneNumberVerified"] is False
    assert_told(served)
    served.extensions["watchman"].keep_journal()
    assert kii.as_admin().ask("GET", f"/users/{gone.id}").status_code == 404, "the erasure is not forgotten"


def assert_told(served) -> None:
    served.extensions["watchman"].look()
    with of_all_apps(served):
        session = portal_database.reading()
        assert set(session.scalars(select(Verification.state))) == {"expired"}
        assert "database_switched" in set(session.scalars(select(Alarm.name)))


@pytest.mark.slow
def test_dat_03_a_pool_that_knew_the_standby_before_looks_again_once_it_took_over(two, served, kii, tmp_path):
    """An address that led to the standby too early: its connections outlive the promotion."""
    dora = kii.sign_up(phoneNumber=NUMBER)
    code = code_of(kii, dora.id)
    two.catch_up()
    two.cut_off()
    settings = served.extensions["ringback"].settings
    url = f"postgresql+psycopg://{postgresql.APP}@127.0.0.1:{two.standby.port}/ringback"
    early = create_app(replace(settings, database_url=url))
    theirs = KiiClient(early.test_client(), kii.app_id, token=dora.kii.token)
    verify = "/users/me/phone-number/verify"
    sent, kind = {"verificationCode": code}, "application/vnd.kii.AddressVerificationRequest+json"
    assert theirs.ask("POST", verify, sent, type=kind).status_code == 503
    assert dora.verify(code).status_code == 200
    two.fail_over()

    answer, _seen = answered(lambda: theirs.ask("POST", verify, sent, type=kind))
    assert answer.status_code == 410
    with early.app_context():
        portal_database.db.engine.dispose()


def test_dat_03_a_server_that_is_the_remembered_one_voids_nothing(database, settings, desk_of_its_own):
    if database == "sqlite":
        assert desk_of_its_own() == ["open"]
        return
    engine = create_engine(settings.sqlalchemy_url)
    portal_database.prepare(engine)
    assert desk_of_its_own() == ["open"]
    with engine.begin() as connection:
        connection.execute(text("UPDATE database_timeline SET name = '1/00000001'"))
    engine.dispose()
    # Two who find it at once: one voids, the other finds it done.
    for _ in range(2):
        with engine.connect() as connection:
            fences.say(connection, ALL_APPS)
            assert list(connection.scalars(select(Verification.state))) == ["expired"]
        engine.dispose()


@pytest.fixture
def desk_of_its_own(transaction, keys):
    from tests.services.conftest import Desk

    desk = Desk(transaction, keys)
    desk.register("dora", NUMBER)
    return lambda: desk.rows(select(Verification.state))


def test_dat_03_a_managed_server_that_hides_its_timeline_is_used_and_the_log_says_so(
    postgresql_server, monkeypatch
):
    url = postgresql.create_database(postgresql_server, "hidden")
    refusal = text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege'; END $$")
    monkeypatch.setattr(database_timelines, "_LOOK", refusal)
    engine = create_engine(url)
    portal_database.prepare(engine)
    with capture_logs() as logged, engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    assert [each["event"] for each in logged] == ["database_timeline_hidden"]
    engine.dispose()
