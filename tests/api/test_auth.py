"""Who may call: credentials and tenants (contract b.1, b.3; TEN-01, TEN-02)."""

import base64
import json

import pytest

from portal.api import routes
from portal.api.operations import Who
from portal.api.routes import OPERATIONS
from tests.drivers import JSON, KiiClient

# A body of the right shape for each operation, so that only the credentials decide.
BODIES = {
    "AddressVerificationRequest": {"verificationCode": "123456"},
    "ChangePasswordRequest": {"oldPassword": "pass1234", "newPassword": "another1"},
    "EmailAddressModificationRequest": {"emailAddress": "x@example.com"},
    "PhoneNumberModificationRequest": {"phoneNumber": "+819099998888"},
    "TokenRequest": {"username": "nobody", "password": "pass1234"},
    "UserQueryRequest": {"userQuery": {"clause": {"type": "all"}}},
    "UserStatusUpdateRequest": {"disabled": True},
    "RegistrationRequest": {"loginName": "newcomer", "password": "pass1234"},
}
GUARDED = sorted(name for name, each in OPERATIONS.items() if each.who is not Who.ANYBODY)
# Token requests name no user, so a bearer token says nothing there.
OF_AN_APP = [name for name in GUARDED if "<app_id>" in OPERATIONS[name].rule and "token" not in name]


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)
    return answer.json


def request(kii: KiiClient, name: str, app_id: str, user: str, **options):
    operation = OPERATIONS[name]
    model = next(iter(operation.consumes.values()), None)
    body = BODIES.get(model.__name__, {}) if model else {}
    path = operation.rule.replace("<app_id>", app_id).replace("<user>", user)
    path = path.replace("<name>", "phoneNumberVerificationRequired")
    raw = None if operation.method == "GET" else json.dumps(body if model else True)
    return kii.call(operation.method, path, raw=raw, type=JSON, **options)


def test_it_registers_every_resource():
    modules = {each.__name__.rpartition(".")[2] for each in routes.RESOURCES}
    assert {name.removeprefix("api.").rpartition("_")[0] for name in OPERATIONS} >= {
        "tokens_request",
        "users",
    }
    assert all(any(name.startswith(f"api.{module}_") for name in OPERATIONS) for module in modules)


def test_it_answers_nobody_without_credentials(kii, unverified):
    for name in GUARDED:
        refused(request(kii, name, kii.app_id, unverified.id, headers={}), 401, "UNAUTHORIZED")


def test_ten_02_it_treats_another_tenant_as_one_that_does_not_exist(kii, admin, unverified, stranger):
    other = stranger.sign_up(loginName="other")
    for name in OF_AN_APP:
        for caller in (admin, unverified.kii):
            foreign = request(caller, name, stranger.app_id, other.id, headers=bearer(caller.token))
            nowhere = request(caller, name, "0" * 16, other.id, headers=bearer(caller.token))
            assert foreign.status_code == nowhere.status_code == 404
            assert foreign.data.replace(stranger.app_id.encode(), b"0" * 16) == nowhere.data
    assert stranger.log_in("other").json["id"] == other.id


def test_ten_02_it_treats_another_tenants_user_as_one_that_does_not_exist(kii, admin, unverified, stranger):
    other = stranger.sign_up(loginName="other")
    for name in (name for name in OF_AN_APP if "<user>" in OPERATIONS[name].rule):
        for caller in (admin, unverified.kii):
            foreign = request(caller, name, kii.app_id, other.id)
            random = request(caller, name, kii.app_id, "f" * len(other.id))
            assert foreign.status_code == random.status_code
            assert foreign.status_code in (401, 404)
            assert foreign.data.replace(other.id.encode(), b"f" * len(other.id)) == random.data
    assert stranger.log_in("other").json["id"] == other.id


def bearer(token):
    return {"Authorization": f"bearer {token}"}


def test_ten_01_it_refuses_a_path_and_a_header_that_disagree(kii, unverified, stranger):
    foreign = {"X-Kii-AppID": stranger.app_id, "X-Kii-AppKey": "any"}
    both = {"X-Kii-AppID": kii.app_id, "X-Kii-AppKey": "any", **basic(f"{stranger.app_id}:x")}
    for name in OF_AN_APP:
        for headers in (foreign, both, foreign | bearer(unverified.kii.token)):
            refused(request(kii, name, kii.app_id, unverified.id, headers=headers), 404, "APP_NOT_FOUND")


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_ten_01_it_takes_no_app_from_query_or_body(kii, stranger):
    sent = {"loginName": "dora", "password": "pass1234", "appID": stranger.app_id, "app_id": stranger.app_id}
    answer = kii.ask("POST", f"/users?appID={stranger.app_id}&app_id={stranger.app_id}", sent)
    assert answer.status_code == 201
    assert kii.log_in("dora").status_code == 200
    assert stranger.log_in("dora").status_code == 400


def test_it_takes_basic_credentials_with_any_key(kii):
    for key in ("", "x", "a:b"):
        answer = kii.ask("POST", "/users", {}, headers=basic(f"{kii.app_id}:{key}"))
        refused(answer, 400, "NO_ACCOUNT_PROVIDED")


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Basic eA==", "Basic /w==", "Digest x", "Basic " + "A" * 9, "x", "Token abc", ""],
)
def test_it_refuses_credentials_that_cannot_be_read(kii, header):
    refused(kii.ask("POST", "/users", {}, headers={"Authorization": header}), 401, "UNAUTHORIZED")


def test_it_demands_both_kii_headers(kii):
    refused(kii.ask("POST", "/users", {}, headers={"X-Kii-AppID": kii.app_id}), 401, "UNAUTHORIZED")
    refused(kii.ask("POST", "/users", {}, headers={"X-Kii-AppKey": "any"}), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("app_id", ["nobody", "%00", "%FF", "x" * 3000, "..", "a b", "ドラ"])
def test_it_says_that_there_is_no_such_app(kii, app_id):
    for headers in (basic("nobody:x"), {"X-Kii-AppID": "nobody", "X-Kii-AppKey": "x"}):
        answer = kii.call("POST", f"/apps/{app_id}/users", {"loginName": "dora"}, headers=headers)
        refused(answer, 404, "APP_NOT_FOUND")
    refused(
        kii.call("POST", "/oauth2/token", {"username": "a"}, headers=basic("nobody:x")), 404, "APP_NOT_FOUND"
    )


@pytest.mark.parametrize(
    "token", ["nonsense", "", "  ", "x" * 5000, "a b c", "\xff\xfe", "'; drop table user"]
)
def test_it_refuses_a_token_that_is_none_and_does_not_repeat_it(kii, token):
    answer = kii.ask("GET", "/users/me", headers={"Authorization": f"Bearer {token}"})
    body = refused(answer, 403, "WRONG_TOKEN")
    assert body["appID"] == kii.app_id
    assert not token.strip() or token.strip() not in answer.get_data(as_text=True)


def test_it_ends_every_token_of_an_app_whose_secret_is_new(kii, admin, transaction, context_for):
    from portal.services import access_keys

    with transaction() as session:
        access_keys.reset_secret(context_for(session).in_app(kii.app_id))
    refused(admin.ask("GET", "/configuration/parameters"), 403, "WRONG_TOKEN")
