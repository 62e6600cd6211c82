"""CORS: what a browser is told, on every answer (contract b.1)."""

import pytest

from portal.api.routes import OPERATIONS

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
HEADERS = {"accept", "authorization", "content-type", "x-kii-appid", "x-kii-appkey", "x-kii-sdk"}
HEADERS |= {"idempotency-key"}


def words(answer, header):
    return {word.strip() for word in answer.headers[header].split(",")}


def assert_open(answer):
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert words(answer, "Access-Control-Allow-Methods") == METHODS
    assert words(answer, "Access-Control-Allow-Headers") == HEADERS
    assert "Retry-After" in words(answer, "Access-Control-Expose-Headers")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("method", sorted(METHODS))
def test_it_answers_a_preflight_for_every_path(kii, method):
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": method}
    for rule in {each.rule for each in OPERATIONS.values()} | {"/nowhere"}:
        answer = kii.call("OPTIONS", rule.replace("<", "").replace(">", ""), headers=asked, type=None)
        assert (answer.status_code, answer.data) == (204, b"")
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert_open(answer)


def test_it_is_open_on_success_and_on_every_kind_of_refusal(kii):
    dora = kii.sign_up()
    for answer in (
        dora.ask("GET"),
        dora.update(),
        dora.ask("GET", "/phone-number"),
        kii.log_in("nobody"),
        kii.ask("GET", "/users/me"),
        kii.call("GET", "/nowhere"),
        kii.call("BREW", "/oauth2/token"),
        dora.ask("POST", raw=" " * 200_000),
        dora.ask("POST", raw="{}", type="text/plain"),
    ):
        assert_open(answer)
        assert answer.headers["Cache-Control"] == "no-store"
