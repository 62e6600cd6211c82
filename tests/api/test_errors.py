"""Refusals on the wire (contract b.1, c.3, e; PII-02)."""

import inspect
import json
from urllib.parse import unquote

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from portal import errors
from portal.api import errors as api_errors
from portal.api import refusals
from portal.errors import Busy, Refusal
from portal.services import users, verifications
from tests.drivers import PASSWORD, vendor

CATALOGUE = {
    "invalid_grant": 400,
    "INVALID_INPUT_DATA": 400,
    "INVALID_JSON": 400,
    "NO_ACCOUNT_PROVIDED": 400,
    "ACCOUNT_TYPE_NOT_SUPPORTED": 400,
    "INVALID_ACCOUNT_STATUS": 400,
    "PASSWORD_TOO_SHORT": 400,
    "UNAUTHORIZED": 401,
    "WRONG_PASSWORD": 401,
    "USER_DISABLED": 401,
    "INVALID_VERIFICATION_CODE": 403,
    "WRONG_TOKEN": 403,
    "WRONG_REFRESH_TOKEN": 403,
    "OPERATION_NOT_SUPPORTED": 403,
    "APP_NOT_FOUND": 404,
    "USER_NOT_FOUND": 404,
    "USER_ADDRESS_NOT_FOUND": 404,
    "VERIFICATION_CODE_NOT_FOUND": 404,
    "APP_CONFIG_PARAMETER_NOT_FOUND": 404,
    "USER_ALREADY_EXISTS": 409,
    "PHONE_NUMBER_VERIFICATION_CODE_EXPIRED": 410,
    "TOO_MANY_REQUESTS": 429,
    "RESOURCE_TEMPORARILY_UNAVAILABLE": 503,
}


def kinds_of(module):
    found = inspect.getmembers(module, inspect.isclass)
    return [kind for _name, kind in found if issubclass(kind, Refusal)]


@pytest.mark.parametrize("kind", [*kinds_of(errors), *kinds_of(refusals)])
def test_every_refusal_has_a_line_of_its_own(kind):
    assert kind in api_errors.TABLE


def test_every_line_has_the_status_of_the_contract():
    # The contract has no answer for a wrong content type (WEB-10) and for keys of requests (DEL-11).
    ours = {refusals.WrongMediaType, errors.KeyReused, errors.KeyInUse}
    table = [line for refusal, line in api_errors.TABLE.items() if refusal not in ours]
    lines = [*table, *api_errors.NOT_FOUND.values()]
    assert {line.code: line.status for line in lines} == CATALOGUE


def test_it_writes_percent_signs_so_that_the_sdk_can_read_the_body(kii):
    dora = kii.sign_up(phoneNumber="+819012345678")
    for answer in (dora.verify("100%41"), dora.kii.ask("GET", "/users/LOGIN_NAME:50%25%41")):
        text = answer.get_data(as_text=True)
        assert "%" not in text
        assert json.loads(unquote(text)) == answer.json
    assert dora.verify("100%41\\").json["verificationCode"] == "100%41\\"
    assert dora.kii.ask("GET", "/users/LOGIN_NAME:50%25").json["value"] == "50%"


def test_every_refusal_says_something(kii):
    for answer in (
        kii.ask("GET", "/users/me"),
        kii.call("GET", "/nowhere"),
        kii.call("PUT", "/oauth2/token"),
    ):
        assert answer.json["message"]
        assert answer.json["errorCode"].isupper()


def test_it_says_503_when_too_much_waits(kii, app, monkeypatch):
    def busy(*_arguments):
        raise Busy("Too many passwords are being checked. Try again in a moment.", 2)

    monkeypatch.setattr(app.extensions["ringback"].hasher, "hash", busy, raising=True)
    answer = kii.register(loginName="dora", password=PASSWORD)
    assert (answer.status_code, answer.json["errorCode"]) == (503, "RESOURCE_TEMPORARILY_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "2"
    assert answer.content_type == vendor("ResourceTemporarilyUnavailableException")


def test_pii_02_it_says_503_without_detail_when_the_database_is_in_trouble(kii, monkeypatch):
    dora = kii.sign_up(phoneNumber="+819012345678")

    def break_down(*_arguments):
        raise OperationalError("SELECT secret FROM user", {"number": "+819012345678"}, OSError("disk full"))

    monkeypatch.setattr(verifications, "confirm", break_down)
    with capture_logs() as lines:
        answer = dora.verify("123456")
    assert (answer.status_code, answer.json["errorCode"]) == (503, "RESOURCE_TEMPORARILY_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "1"
    told = answer.get_data(as_text=True) + repr(lines)
    assert "OperationalError" in told
    for secret in ("SELECT", "disk full", "9012345678", "123456", dora.kii.token):
        assert secret not in told


def test_pii_02_it_says_500_without_detail_for_what_nobody_foresaw(kii, monkeypatch):
    dora = kii.sign_up()

    def stumble(*_arguments):
        raise ZeroDivisionError("canary +819012345678")

    monkeypatch.setattr(users, "get", stumble)
    with capture_logs() as lines:
        answer = dora.ask("GET")
    assert (answer.status_code, answer.json["errorCode"]) == (500, "UNDEFINED_ERROR")
    assert answer.content_type == vendor("UndefinedErrorException")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    told = answer.get_data(as_text=True) + repr(lines)
    assert "ZeroDivisionError" in told
    for secret in ("canary", "9012345678", dora.kii.token):
        assert secret not in told
