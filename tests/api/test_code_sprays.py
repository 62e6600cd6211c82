"""What happens when somebody tries one code on each of many numbers? (OTP-06)"""

from dataclasses import replace

import pytest

from portal import clock as portal_clock
from portal.core import code_sprays as rules
from portal.core.alarms import AlarmName, Level
from portal.models import TokenKind
from portal.services import alarms, code_sprays
from portal.services.alarms import Found
from portal.services.source_limits import SourceLimits
from portal.services.tokens import hashed
from tests import factories
from tests.api.conftest import NUMBER, wrong
from tests.drivers import KiiClient

NUMBERS = 300
GUESS = "000000"


@pytest.fixture
def victims(session, shop) -> list[str]:
    """The bearer tokens of 300 users who each wait for the code of a number of their own."""
    return [waiting_user(session, shop.id, f"+8190{70_000_000 + at:08}") for at in range(NUMBERS)]


def waiting_user(session, app_id: str, number: str) -> str:
    user = factories.user(session, app_id=app_id, phone_number=number)
    whose = {"app_id": app_id, "user_id": user.id}
    factories.verification(session, **whose, phone_number=number, sends=1, last_sent_at=portal_clock.now())
    token = f"token-of-{number}"
    factories.bearer_token(session, **whose, token_hash=hashed(token), kind=TokenKind.USER)
    return token


def guess(kii: KiiClient, token: str, source: str, code: str = GUESS):
    kii.http.environ_base |= {"REMOTE_ADDR": source}
    headers = {"Authorization": f"Bearer {token}"}
    path = "/users/me/phone-number/verify"
    return kii.ask("POST", path, {"verificationCode": code}, headers=headers)


def test_otp_06_a_spray_over_300_numbers_from_many_sources_is_slowed_and_raises_an_alarm(
    kii, shop, victims, session
):
    answers = [guess(kii, token, f"198.51.100.{at % 10}") for at, token in enumerate(victims)]

    statuses = [answer.status_code for answer in answers]
    most = rules.CHECKS_AT_LEAST + rules.CHECKS_A_MINUTE
    assert statuses[: rules.CHECKS_AT_LEAST] == [403] * rules.CHECKS_AT_LEAST
    assert statuses.count(403) <= most
    assert statuses[-1] == 429
    refused = answers[-1]
    assert set(refused.json) == {"reason", "message", "nextAllowedAt"}
    assert refused.json["reason"] == "app_guess_limit"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60

    session.rollback()
    now = portal_clock.now()
    assert Found(AlarmName.CODES_SPRAYED, Level.WARN, shop.id) in alarms.look(session, now)
    later = now + rules.WINDOW_S * 1000 + 1000
    assert shop.id not in code_sprays.apps(session, later)


def test_otp_06_one_source_alone_is_stopped_by_its_own_limit_and_a_second_source_is_served(
    kii, victims, code_of, unverified
):
    statuses = [guess(kii, token, "198.51.100.1").status_code for token in victims]
    assert statuses == [403] * 50 + [429] * (NUMBERS - 50)

    code = code_of(unverified)
    assert guess(kii, unverified.kii.token, "198.51.100.2", wrong(code)).status_code == 403
    assert guess(kii, unverified.kii.token, "198.51.100.2", code).status_code == 200


def test_otp_06_a_spray_in_one_app_slows_no_other(kii, stranger, victims, session):
    for at, token in enumerate(victims):
        last = guess(kii, token, f"198.51.100.{at % 10}")
    assert last.json["reason"] == "app_guess_limit"
    token = waiting_user(session, stranger.app_id, NUMBER)
    assert guess(stranger, token, "198.51.100.20").status_code == 403


def test_otp_06_nobody_without_a_token_of_the_app_takes_its_turns(kii, victims):
    for at, token in enumerate(victims[: rules.CHECKS_AT_LEAST]):
        guess(kii, token, f"198.51.100.{at % 10}")
    for _ in range(2 * rules.CHECKS_A_MINUTE):
        assert guess(kii, "nonsense", "198.51.100.20").status_code == 403
    assert guess(kii, victims[-1], "198.51.100.20").status_code == 403


@pytest.mark.parametrize(
    ("checks", "failures", "slowed"),
    [(199, 199, False), (200, 160, False), (200, 161, True), (1000, 800, False), (1000, 801, True)],
)
def test_otp_06_a_spray_is_more_than_80_percent_of_200_checks(checks, failures, slowed):
    assert rules.is_spray(checks, failures) is slowed


def test_otp_06_an_app_whose_users_mostly_type_rightly_is_never_slowed(settings):
    limits = SourceLimits(settings)
    news = [limits.note_check("app", failed=at % 10 < 7) for at in range(1000)]
    assert not any(news)
    for _ in range(2 * rules.CHECKS_A_MINUTE):
        limits.take_check("app")


def test_otp_06_a_measuring_run_is_not_slowed(settings):
    limits = SourceLimits(replace(settings, limits="bench"))
    assert not any(limits.note_check("app", failed=True) for _ in range(1000))
    for _ in range(2 * rules.CHECKS_A_MINUTE):
        limits.take_check("app")
