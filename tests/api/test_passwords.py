"""Passwords: the change of contract b.2 and a.9."""

import pytest

from tests.drivers import PASSWORD, vendor


def change(user, old, new):
    sent = {"oldPassword": old, "newPassword": new}
    return user.ask("PUT", "/password", sent, type=vendor("ChangePasswordRequest"))


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)
    return answer.json


def test_it_changes_the_password_and_ends_every_token(kii):
    dora = kii.sign_up()
    second = kii.log_in(dora.login_name).json["access_token"]
    answer = change(dora, PASSWORD, "another1")
    assert (answer.status_code, answer.data) == (204, b"")
    for token in (dora.kii.token, second):
        refused(kii.holding(token).ask("GET", "/users/me"), 403, "WRONG_TOKEN")
    assert kii.log_in(dora.login_name).status_code == 400
    assert kii.log_in(dora.login_name, "another1").status_code == 200


def test_it_refuses_a_wrong_old_password(kii):
    dora = kii.sign_up()
    body = refused(change(dora, "wrong1234", "another1"), 401, "WRONG_PASSWORD")
    assert (body["appID"], body["userID"]) == (kii.app_id, dora.id)
    assert dora.ask("GET").status_code == 200


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (PASSWORD, "INVALID_INPUT_DATA"),
        ("abc", "PASSWORD_TOO_SHORT"),
        ("p" * 51, "INVALID_INPUT_DATA"),
        ("pässword", "INVALID_INPUT_DATA"),
        (12345, "INVALID_INPUT_DATA"),
        (None, "INVALID_INPUT_DATA"),
    ],
)
def test_it_refuses_a_new_password_out_of_its_limits(kii, new, code):
    body = refused(change(kii.sign_up(), PASSWORD, new), 400, code)
    assert body.get("minimumLength" if code == "PASSWORD_TOO_SHORT" else "field") in (4, "newPassword")


def test_it_has_no_password_to_change_for_a_pseudo_user(kii):
    answer = kii.register("RegistrationAndAuthorizationRequest")
    mine = kii.holding(answer.json["_accessToken"])
    sent = {"oldPassword": "", "newPassword": "another1"}
    refused(mine.ask("PUT", "/users/me/password", sent), 401, "WRONG_PASSWORD")


def test_it_takes_the_users_own_token_only(kii, admin):
    dora, erin = kii.sign_up(), kii.sign_up()
    sent, path = {"oldPassword": PASSWORD, "newPassword": "another1"}, f"/users/{dora.id}/password"
    for caller in (kii, admin, erin.kii):
        refused(caller.ask("PUT", path, sent), 401, "UNAUTHORIZED")
    assert dora.kii.ask("PUT", f"/users/LOGIN_NAME:{dora.login_name}/password", sent).status_code == 204
