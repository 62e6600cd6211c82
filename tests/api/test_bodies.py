"""Bad input: whatever comes in, the answer is a refusal and never a 5xx (WEB-10, OTP-11)."""

import json

import pytest

from tests.drivers import PASSWORD, vendor

UPDATE = vendor("UserUpdateRequest")


def refused(answer, status, code):
    assert (answer.status_code, answer.json["errorCode"]) == (status, code), answer.get_data(as_text=True)
    return answer.json


@pytest.fixture
def dora(kii):
    return kii.sign_up()


NOT_JSON = ["", "{", "nonsense", "{'a':1}", '{"a":01}', '{"a":NaN}', '{"a":-Infinity}', '{"a":"\n"}', "{}{}"]
NOT_JSON += ['{"a":1,}', b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"a":"\xed\xa0\x80"}', b"\x00", "{'"]


def test_it_refuses_a_body_that_is_no_json(dora):
    for raw in NOT_JSON:
        answer = dora.ask("POST", raw=raw, type=UPDATE)
        refused(answer, 400, "INVALID_JSON")
        assert answer.content_type == vendor("InvalidJsonException")


TOO_MUCH = [
    "[]",
    "null",
    "1",
    '"a"',
    '{"a":1,"a":1}',
    '{"a":{"b":1,"b":2}}',
    '{"a":"\\u0000"}',
    '{"\\u0000":1}',
]
TOO_MUCH += ['{"a":"\\ud800"}', '{"a":["\\udc00\\ud800"]}', '{"\\ud800":1}', '{"a":1e999}', '{"a":-1e999}']
TOO_MUCH += ['{"a":' + "9" * 5000 + "}", '{"a":' + "[" * 40 + "]" * 40 + "}", '{"a":' * 33 + "1" + "}" * 33]
TOO_MUCH += ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000]


def test_it_refuses_json_out_of_bounds(dora):
    for raw in TOO_MUCH:
        refused(dora.ask("POST", raw=raw, type=UPDATE), 400, "INVALID_INPUT_DATA")


FINE = [
    '{"a":' + "[" * 31 + "]" * 31 + "}",
    '{"a":"\\ud83d\\ude00"}',
    '{"a":1.5e300}',
    '{"a":' + "9" * 20 + "}",
]
FINE += ['{"a":[{},{},[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}']
FINE += ['{"":1}', '{"a%":"%41\\\\"}', '{"__proto__":{"x":1}}', ' \r\n{"a":"é"} ', '{"toString":"x","a":-0}']


def test_it_stores_what_is_odd_but_json(dora):
    for raw in FINE:
        answer = dora.ask("POST", raw=raw.encode(), type=UPDATE)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        sent = {name: value for name, value in json.loads(raw).items() if not name.startswith("_")}
        assert sent.items() <= dora.refresh().items()


@pytest.mark.parametrize("size", [128 * 1024 + 1, 1024 * 1024])
def test_it_refuses_a_huge_body(dora, size):
    for method, path in (("POST", ""), ("POST", "/phone-number/resend-verification"), ("PUT", "/password")):
        answer = dora.ask(method, path, raw=b" " * size)
        refused(answer, 413, "INVALID_INPUT_DATA")


def test_it_refuses_a_huge_body_of_unknown_length(dora):
    headers = {"Authorization": f"Bearer {dora.kii.token}", "Transfer-Encoding": "chunked"}
    from io import BytesIO

    answer = dora.kii.http.post(
        f"/api/apps/{dora.kii.app_id}/users/me",
        input_stream=BytesIO(b" " * 200_000),
        headers=headers,
        content_type=UPDATE,
        environ_overrides={"wsgi.input_terminated": True},
    )
    refused(answer, 413, "INVALID_INPUT_DATA")


OTHER_TYPES = [None, "text/plain", "text/html", "application/xml", "multipart/form-data", "application/jsonp"]
OTHER_TYPES += [
    "application/x-www-form-urlencoded",
    "application/vnd.kii.x+xml",
    "application/vnd.other.X+json",
]
OTHER_TYPES += ["rubbish", "a/b;c"]


def test_web_10_it_refuses_other_content_types(dora):
    for kind in OTHER_TYPES:
        body = refused(dora.ask("POST", raw="{}", type=kind), 415, "INVALID_INPUT_DATA")
        assert body["field"] == "Content-Type"


@pytest.mark.parametrize(
    "kind",
    ["application/json; charset=utf-8", "APPLICATION/JSON", UPDATE, UPDATE.lower(), vendor("SomethingElse")],
)
def test_it_takes_json_by_any_of_its_names(dora, kind):
    assert dora.ask("POST", raw="{}", type=kind).status_code == 200


@pytest.mark.parametrize("kind", ["application/json", None, "text/plain"])
def test_it_reads_no_body_where_none_is_needed(dora, admin, kind):
    for method, path in (
        ("GET", ""),
        ("GET", "/phone-number"),
        ("POST", "/phone-number/resend-verification"),
    ):
        assert dora.ask(method, path, type=kind).status_code in (200, 404, 400)
    assert dora.ask("DELETE", raw="nonsense", type=kind).status_code == 204


SHAPES = [
    ("POST", "", "displayName"),
    ("PUT", "/phone-number", "phoneNumber"),
    ("PUT", "/email-address", "emailAddress"),
    ("POST", "/phone-number/verify", "verificationCode"),
    ("PUT", "/password", "newPassword"),
]
WRONG = [1, 1.5, True, [], {}, ["x"], {"a": 1}, "\0", "\ud800", "x" * 2000, -(2**63), [[[[[]]]]]]


def test_it_refuses_a_field_of_the_wrong_kind_everywhere(dora):
    for value in WRONG:
        for method, path, field in SHAPES:
            sent = {field: value} | ({"oldPassword": PASSWORD} if "password" in path else {})
            refused(dora.ask(method, path, sent), 400, "INVALID_INPUT_DATA")


@pytest.mark.parametrize(
    "path", ["", "/phone-number", "/phone-number/verify", "/password", "/status", "/a/b", "/%00"]
)
def test_it_refuses_wrong_methods_and_paths_in_json(dora, path):
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW", "HEAD"):
        answer = dora.ask(method, path, raw=None if method in ("GET", "HEAD") else "")
        assert answer.status_code < 500
        assert not 300 <= answer.status_code < 400
        assert answer.status_code == 204 or method == "HEAD" or answer.is_json
        if answer.status_code == 405:
            assert method not in answer.headers["Allow"]
            assert method == "HEAD" or answer.json["errorCode"] == "OPERATION_NOT_SUPPORTED"
        if method == "DELETE" and path == "":
            dora = dora.kii.holding("").sign_up()


SLANTED = [
    "",
    "/",
    "//",
    "/apps",
    "/apps/",
    "//apps/x/users",
    "/apps//users",
    "/apps/x//users",
    "/apps/x/users//",
]
SLANTED += [
    "/apps/x/users/y/z/",
    "/apps/x/users/..",
    "/%2e%2e/",
    "/apps/x/users/\u202e",
    "/apps/x/users/a%2Fb",
]
SLANTED += ["/oauth2", "/\n"]


def test_it_never_redirects(kii):
    for path in SLANTED:
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            answer = kii.call(method, path)
            assert answer.status_code in (204, 400, 401, 404, 405)
            assert "Location" not in answer.headers


def test_it_takes_a_trailing_slash(dora):
    assert dora.ask("GET", "/").json["userID"] == dora.id
    assert dora.kii.ask("GET", "/users/me/").json["userID"] == dora.id
