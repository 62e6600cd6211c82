"""Configuration parameters (contract b.2, d.2)."""

import pytest

from tests.drivers import vendor

SWITCH = "phoneNumberVerificationRequired"
PATH = "/configuration/parameters"


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)


def test_it_shows_every_parameter_with_real_booleans_and_numbers(admin):
    answer = admin.ask("GET", PATH)
    assert answer.content_type == vendor("AppConfigParamsRetrievalResponse")
    assert answer.json[SWITCH] is True
    assert answer.json["emailAddressVerificationRequired"] is False
    assert answer.json["exposeFullUserDataToOthers"] is False
    assert answer.json["defaultTokenExpirationSeconds"] == 2147483640


@pytest.mark.parametrize(
    ("kind", "sent"), [("text/plain", "false"), ("text/plain; charset=utf-8", " false ")]
)
def test_it_sets_one_by_its_bare_value(admin, kind, sent):
    answer = admin.ask("PUT", f"{PATH}/{SWITCH}", raw=sent, type=kind)
    assert (answer.status_code, answer.data) == (204, b"")
    assert admin.ask("GET", PATH).json[SWITCH] is False


def test_it_sets_one_by_a_json_value_too(admin):
    assert admin.ask("PUT", f"{PATH}/{SWITCH}", False).status_code == 204
    assert admin.ask("GET", PATH).json[SWITCH] is False


@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_it_sets_several_or_none(admin, method):
    kind = vendor("AppConfigParamsModificationRequest")
    both = {SWITCH: False, "defaultTokenExpirationSeconds": 60}
    assert admin.ask(method, PATH, both, type=kind).status_code == 204
    assert both.items() <= admin.ask("GET", PATH).json.items()
    refused(
        admin.ask(method, PATH, {SWITCH: True, "nonsense": 1}, type=kind),
        404,
        "APP_CONFIG_PARAMETER_NOT_FOUND",
    )
    assert admin.ask("GET", PATH).json[SWITCH] is False


def test_it_sets_one_back_to_its_default(admin):
    assert admin.ask("DELETE", f"{PATH}/{SWITCH}").status_code == 204
    assert admin.ask("GET", PATH).json[SWITCH] is False
    refused(admin.ask("DELETE", f"{PATH}/nonsense"), 404, "APP_CONFIG_PARAMETER_NOT_FOUND")


def test_it_cannot_switch_email_verification_on(admin):
    refused(
        admin.ask("PATCH", PATH, {"emailAddressVerificationRequired": True}), 403, "OPERATION_NOT_SUPPORTED"
    )
    assert admin.ask("PATCH", PATH, {"emailAddressVerificationRequired": False}).status_code == 204


@pytest.mark.parametrize("value", ["maybe", "", "1", "null", "t\0", "ｔｒｕｅ"])
def test_it_refuses_a_value_that_makes_no_sense(admin, value):
    refused(admin.ask("PUT", f"{PATH}/{SWITCH}", raw=value, type="text/plain"), 400, "INVALID_INPUT_DATA")


@pytest.mark.parametrize("value", [None, 1, [], {}, "x", 2**60, -1, 1.5])
def test_it_refuses_a_json_value_that_makes_no_sense(admin, value):
    refused(admin.ask("PATCH", PATH, {SWITCH: value}), 400, "INVALID_INPUT_DATA")
    if value != 1:
        sent = {"defaultTokenExpirationSeconds": value}
        refused(admin.ask("PATCH", PATH, sent), 400, "INVALID_INPUT_DATA")


def test_it_takes_the_admins_token_only(kii):
    for caller in (kii, kii.sign_up().kii):
        refused(caller.ask("GET", PATH), 401, "UNAUTHORIZED")
        refused(caller.ask("PATCH", PATH, {SWITCH: False}), 401, "UNAUTHORIZED")
        refused(caller.ask("PUT", f"{PATH}/{SWITCH}", False), 401, "UNAUTHORIZED")
        refused(caller.ask("DELETE", f"{PATH}/{SWITCH}"), 401, "UNAUTHORIZED")
