"""Tokens: contract b.4, a.3, a.9."""

import base64

import pytest

from tests.api.conftest import NUMBER
from tests.drivers import PASSWORD, vendor

FORM = "application/x-www-form-urlencoded"


def body_of(answer):
    return {**answer.json, "message": "", "error_description": ""}


def test_it_answers_a_login_with_exactly_the_contract_fields(kii):
    dora = kii.sign_up()
    answer = kii.log_in(dora.login_name)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert set(answer.json) == {"id", "access_token", "expires_in", "token_type"}
    assert (answer.json["id"], answer.json["token_type"]) == (dora.id, "bearer")
    assert answer.json["expires_in"] == 2147483640


@pytest.mark.parametrize(
    "kind", ["application/json", vendor("OauthTokenRequest"), vendor("OAUTHTOKENREQUEST")]
)
@pytest.mark.parametrize("path", ["/oauth2/token", "/apps/{}/oauth2/token"])
def test_it_takes_json_on_both_paths(kii, kind, path):
    dora = kii.sign_up()
    sent = {"username": dora.login_name, "password": PASSWORD, "grant_type": "password"}
    assert kii.call("POST", path.format(kii.app_id), sent, type=kind).status_code == 200


def test_it_takes_a_form_on_the_apps_path_only(kii):
    dora = kii.sign_up()
    form = f"grant_type=password&username={dora.login_name}&password={PASSWORD}&expiresAt=99999999999999"
    assert kii.ask("POST", "/oauth2/token", raw=form, type=FORM).json["id"] == dora.id
    assert kii.call("POST", "/oauth2/token", raw=form, type=FORM).status_code == 415


@pytest.mark.parametrize("form", ["username=a&username=b&password=c", "username=%FF&password=x", "a=1&" * 99])
def test_it_refuses_a_form_that_can_be_read_two_ways(kii, form):
    answer = kii.ask("POST", "/oauth2/token", raw=form, type=FORM)
    assert (answer.status_code, answer.json["errorCode"]) == (400, "INVALID_INPUT_DATA")


def test_it_finds_the_app_by_basic_credentials(kii):
    dora = kii.sign_up()
    basic = base64.b64encode(f"{kii.app_id}:whatever".encode()).decode()
    answer = kii.call(
        "POST",
        "/oauth2/token",
        {"username": dora.login_name, "password": PASSWORD},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.json["id"] == dora.id


@pytest.mark.parametrize(
    "username",
    [
        NUMBER,
        f"PHONE:{NUMBER}",
        "PHONE:JP-09012345678",
        "PHONE:JP-9012345678",
        "dora@example.com",
        "DORA@example.com",
        "EMAIL:dora@example.com",
        "dora",
    ],
)
def test_it_takes_every_form_of_a_username(kii, code_of, username):
    dora = kii.sign_up(loginName="dora", emailAddress="dora@example.com", phoneNumber=NUMBER)
    dora.verify(code_of(dora))
    assert kii.log_in(username).json["id"] == dora.id


def test_it_refuses_every_bad_login_alike(kii, unverified):
    kii.sign_up(loginName="erin")
    answers = [
        kii.log_in("nobody"),
        kii.log_in("erin", "wrong1234"),
        kii.log_in(NUMBER),
        kii.log_in("+819000000000"),
        kii.log_in("09012345678"),
        kii.log_in("PHONE:rubbish"),
        kii.log_in(""),
    ]
    assert len({answer.data for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {400}
    assert answers[0].content_type == vendor("InvalidGrantException")
    body = answers[0].json
    assert set(body) == {"errorCode", "error", "error_description", "message"}
    assert body["errorCode"] == body["error"] == "invalid_grant"
    assert body["message"] == body["error_description"]


def test_it_keeps_the_old_number_for_logging_in_while_another_is_pending(kii, verified, code_of):
    verified.change_phone("+819099998888")
    assert kii.log_in(NUMBER).json["id"] == verified.id
    assert kii.log_in("+819099998888").status_code == 400
    verified.verify(code_of(verified))
    assert kii.log_in(NUMBER).status_code == 400
    assert kii.log_in("+819099998888").json["id"] == verified.id


def test_it_tells_a_disabled_user_so_only_for_the_right_password(kii, admin):
    dora = kii.sign_up()
    admin.ask("PUT", f"/users/{dora.id}/status", {"disabled": True})
    right, not_right = kii.log_in(dora.login_name), kii.log_in(dora.login_name, "wrong1234")
    assert (right.status_code, right.json["errorCode"]) == (401, "USER_DISABLED")
    assert (right.json["userID"], right.json["appID"]) == (dora.id, kii.app_id)
    assert not_right.json["errorCode"] == "invalid_grant"


def test_it_gives_an_admin_token_for_the_client_secret(kii):
    sent = {"client_id": kii.client_id, "client_secret": kii.client_secret}
    answer = kii.call("POST", "/oauth2/token", {**sent, "grant_type": "client_credentials"})
    assert (answer.status_code, answer.json["id"]) == (200, kii.client_id)
    assert (
        kii.call("POST", "/oauth2/token", {**sent, "client_secret": "no"}).json["errorCode"]
        == "invalid_grant"
    )
    assert kii.call("POST", "/oauth2/token", {**sent, "client_id": "no"}).json["errorCode"] == "invalid_grant"


def test_it_gives_an_anonymous_token_that_is_good_for_what_the_app_may(kii):
    sent = {"client_id": kii.app_id, "client_secret": "any"}
    token = kii.call("POST", "/oauth2/token", sent).json["access_token"]
    anonymous = kii.holding(token)
    assert anonymous.register(loginName="dora", password=PASSWORD).status_code == 201
    assert anonymous.ask("GET", "/users/me").status_code == 401
    assert anonymous.ask("GET", "/users/LOGIN_NAME:dora").status_code == 401


def test_it_ends_a_token_when_the_client_wished(kii, clock):
    dora = kii.sign_up()
    answer = kii.log_in(dora.login_name, expiresAt=clock.at + 60_000)
    assert answer.json["expires_in"] == 60
    mine = kii.holding(answer.json["access_token"])
    assert mine.ask("GET", "/users/me").status_code == 200
    clock.advance(60)
    assert mine.ask("GET", "/users/me").json["errorCode"] == "WRONG_TOKEN"


@pytest.mark.parametrize("expires_at", [0, 1, -1, "soon", 1.5, True, 2**70])
def test_it_refuses_an_end_that_is_past_or_no_time(kii, expires_at):
    dora = kii.sign_up()
    answer = kii.log_in(dora.login_name, expiresAt=expires_at)
    assert (answer.status_code, answer.json["errorCode"]) == (400, "INVALID_INPUT_DATA")


def test_it_caps_the_life_of_a_token_by_the_apps_settings(kii, switch):
    switch("maxTokenExpirationSeconds", 3600)
    dora = kii.sign_up()
    assert kii.log_in(dora.login_name, expiresAt=2**52).json["expires_in"] == 3600


def test_it_refreshes_a_token_once(kii, switch):
    switch("refreshTokenEnabled", True)
    dora = kii.sign_up()
    sent = {"grant_type": "refresh_token", "refresh_token": kii.log_in(dora.login_name).json["refresh_token"]}
    fresh = kii.call("POST", "/oauth2/token", sent)
    assert fresh.json["id"] == dora.id
    assert kii.holding(fresh.json["access_token"]).ask("GET", "/users/me").status_code == 200
    again = kii.call("POST", "/oauth2/token", sent)
    assert (again.status_code, again.json["errorCode"]) == (403, "WRONG_REFRESH_TOKEN")
    assert kii.holding(sent["refresh_token"]).ask("GET", "/users/me").json["errorCode"] == "WRONG_TOKEN"


@pytest.mark.parametrize("body", [{}, {"username": "a"}, {"client_id": "a"}, {"grant_type": "password"}])
def test_it_refuses_a_request_that_asks_for_no_kind_of_token(kii, body):
    answer = kii.call("POST", "/oauth2/token", body)
    assert (answer.status_code, answer.json["errorCode"]) == (400, "INVALID_INPUT_DATA")


def test_ten_01_it_logs_nobody_in_across_apps(kii, stranger):
    dora = kii.sign_up()
    assert stranger.log_in(dora.login_name).json["errorCode"] == "invalid_grant"
    sent = {"client_id": kii.client_id, "client_secret": kii.client_secret}
    assert stranger.call("POST", "/oauth2/token", sent).json["errorCode"] == "invalid_grant"
    crossed = stranger.call("POST", f"/apps/{kii.app_id}/oauth2/token", sent)
    assert (crossed.status_code, crossed.json["errorCode"]) == (404, "APP_NOT_FOUND")
