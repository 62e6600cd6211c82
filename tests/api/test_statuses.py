"""Statuses: suspending and readmitting a user (contract a.3, b.2)."""

from tests.api.conftest import NUMBER
from tests.drivers import vendor


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)
    return answer.json


def test_it_suspends_and_readmits(kii, admin, verified):
    path = f"/users/PHONE:{NUMBER}/status"
    answer = admin.ask("GET", path)
    assert (answer.json, answer.content_type) == ({"disabled": False}, vendor("UserStatusRetrievalResponse"))
    gone = admin.ask("PUT", path, {"disabled": True}, type=vendor("UserStatusUpdateRequest"))
    assert (gone.status_code, gone.data) == (204, b"")
    assert admin.ask("GET", path).json == {"disabled": True}
    assert admin.ask("GET", f"/users/{verified.id}").json["_disabled"] is True
    refused(verified.ask("GET"), 403, "WRONG_TOKEN")
    refused(verified.verify("123456"), 403, "WRONG_TOKEN")
    refused(kii.log_in(verified.login_name), 401, "USER_DISABLED")
    assert admin.ask("PUT", path, {"disabled": False}).status_code == 204
    assert kii.log_in(verified.login_name).status_code == 200


def test_it_takes_the_admins_token_only(kii, unverified):
    for caller in (kii, unverified.kii):
        refused(caller.ask("GET", f"/users/{unverified.id}/status"), 401, "UNAUTHORIZED")
        refused(caller.ask("PUT", f"/users/{unverified.id}/status", {"disabled": True}), 401, "UNAUTHORIZED")


def test_it_refuses_what_is_no_status(admin, unverified):
    for body in (
        {},
        {"disabled": "true"},
        {"disabled": 1},
        {"disabled": None},
        {"disabled": True, "reason": "x"},
    ):
        refused(admin.ask("PUT", f"/users/{unverified.id}/status", body), 400, "INVALID_INPUT_DATA")
    refused(admin.ask("PUT", "/users/nobody/status", {"disabled": True}), 404, "USER_NOT_FOUND")
