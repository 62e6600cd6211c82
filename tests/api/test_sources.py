"""What happens at the REST door to a source that asks for too much?"""

from dataclasses import replace

import pytest

from portal import clock as portal_clock
from portal.errors import Busy
from portal.services.source_limits import SourceLimits
from tests.api.conftest import ANOTHER, NUMBER, wrong


@pytest.fixture
def allow(app, settings):
    """`allow(source_sends=2)` gives every source other budgets."""

    def change(**budgets) -> None:
        parts = app.extensions["ringback"]
        limits = SourceLimits(replace(settings, **budgets))
        app.extensions["ringback"] = replace(parts, sources=limits)

    return change


def assert_refused(answer, reason: str) -> None:
    assert answer.status_code == 429
    assert answer.mimetype == "application/json"
    assert set(answer.json) == {"reason", "message", "nextAllowedAt"}
    assert answer.json["reason"] == reason
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json["nextAllowedAt"] > portal_clock.now()


def test_abu_02_sign_ups_and_changes_spend_one_budget_however_they_are_spelled(kii, allow):
    user = kii.sign_up(phoneNumber=NUMBER)
    allow(source_sends=3)
    assert user.change_phone("+819011110001").status_code == 204
    # Refused for its number, and counted all the same (ENU-03).
    assert user.update(phoneNumber="+819011110001").status_code in (200, 429)
    kii.sign_up(phoneNumber=ANOTHER)
    assert_refused(kii.register(loginName="erin", password="pass1234"), "source_send_limit")
    assert_refused(user.change_phone("+819011110002"), "source_send_limit")
    assert_refused(user.update(phoneNumber="+819011110002"), "source_send_limit")
    assert user.update(displayName="Dora").status_code == 200


def test_abu_02_an_administrators_backend_signs_up_as_many_as_it_likes(admin, allow):
    allow(source_sends=1)
    for at in range(4):
        assert admin.register(loginName=f"user{at}", password="pass1234").status_code == 201


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"])
def test_abu_02_no_header_buys_another_budget(kii, allow, header):
    allow(source_sends=2)
    statuses = []
    for at in range(6):
        headers = {"X-Kii-AppID": kii.app_id, "X-Kii-AppKey": "any", header: f"198.51.100.{at}"}
        fields = {"loginName": f"user{at}", "password": "pass1234"}
        statuses.append(kii.ask("POST", "/users", fields, headers=headers).status_code)
    assert statuses == [201, 201, 429, 429, 429, 429]


def test_abu_02_behind_the_operators_proxy_each_client_has_its_own(kii, allow):
    allow(source_sends=1, proxies=1)
    statuses = []
    for at, hops in enumerate(["198.51.100.1", "x, 198.51.100.2", "198.51.100.2, 198.51.100.1"]):
        headers = {"X-Kii-AppID": kii.app_id, "X-Kii-AppKey": "any", "X-Forwarded-For": hops}
        fields = {"loginName": f"user{at}", "password": "pass1234"}
        statuses.append(kii.ask("POST", "/users", fields, headers=headers).status_code)
    assert statuses == [201, 201, 429]


def test_otp_06_one_guess_at_each_of_many_numbers_is_throttled_and_other_sources_are_served(
    kii, allow, code_of
):
    users = [kii.sign_up(phoneNumber=f"+8190222200{at:02}") for at in range(5)]
    codes = [code_of(user) for user in users]
    allow(source_wrong_codes=3)
    for user, code in zip(users[:3], codes[:3], strict=True):
        assert user.verify(wrong(code)).status_code == 403
    assert_refused(users[3].verify(wrong(codes[3])), "source_guess_limit")
    assert_refused(users[4].verify(codes[4]), "source_guess_limit")
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}
    kii.http.environ_base |= elsewhere
    assert users[4].verify(codes[4]).status_code == 200


def test_otp_06_right_codes_spend_nothing_and_neither_does_a_backend(kii, admin, allow, code_of):
    first, second, third = (kii.sign_up(phoneNumber=f"+8190222200{at:02}") for at in range(3))
    allow(source_wrong_codes=1)
    for user in (first, second):
        assert user.verify(code_of(user)).status_code == 200
    path, sent = f"/users/{third.id}/phone-number/verify", {"verificationCode": wrong(code_of(third))}
    for _ in range(2):
        assert admin.ask("POST", path, sent).status_code == 403


def test_calls_of_any_kind_have_a_budget_too(kii, allow):
    allow(source_calls=3)
    statuses = [kii.ask("GET", "/users/me").status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert_refused(kii.call("GET", "/nowhere"), "source_call_limit")


def test_otp_15_without_the_store_no_code_is_accepted_and_reading_goes_on(
    unverified, kii, allow, code_of, monkeypatch
):
    code = code_of(unverified)
    allow()

    def away(*_):
        raise Busy("Limits cannot be counted just now.")

    monkeypatch.setattr(SourceLimits, "_ask", away)
    for answer in (
        unverified.verify(code),
        unverified.verify(wrong(code)),
        unverified.change_phone(ANOTHER),
        kii.register(loginName="erin", password="pass1234"),
    ):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert unverified.refresh()["phoneNumberVerified"] is False
    monkeypatch.undo()
    assert unverified.verify(code).status_code == 200
