"""A described request is made as described, and nothing that is put into it can break out of its place."""

import base64
import hashlib
import hmac
import json
from email.utils import formatdate
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug import Response

from portal import clock as portal_clock
from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.core.receipt_troubles import ReceiptTrouble
from portal.delivery.providers import http, http_receipts, http_templates
from portal.delivery.providers.base import (
    Arrived,
    Receipt,
    Sms,
    UnreadableReceipt,
    WrongField,
    WrongSignature,
)
from portal.delivery.providers.http_templates import FORM, JSON
from tests.delivery.providers.conftest import (
    RECEIPTS_URL,
    REFERENCE,
    TEXT,
    TO,
    failed,
    form_of,
    got,
    open_here,
    posted_form,
    refused,
    sent,
)

DEFAULTS = {field.name: field.default for field in http.FIELDS if field.default}
KEY = "k3y-of-both-sides"


def open_http(httpserver, path="/send", **values: str):
    """A carrier whose description points to the local server; the form's defaults are left as they are."""
    address = httpserver.url_for("").rstrip("/")
    return open_here(
        ProviderKind.HTTP,
        address,
        DEFAULTS | {"url": f"{address}{path}", "sender": "Coffee"} | values,
    )


def answers(httpserver, status=200, body="ok"):
    """The local server takes whatever comes."""
    httpserver.expect_request("/send").respond_with_data(body, status)


def test_the_defaults_send_everything_as_json(httpserver, sms):
    answers(httpserver)
    assert open_http(httpserver).send(sms).reference == REFERENCE
    request, message = sent(httpserver), sent(httpserver).get_json()
    assert (request.method, request.content_type) == ("POST", JSON)
    assert request.headers["Idempotency-Key"] == REFERENCE
    assert 590 <= message.pop("ttl") <= 600
    assert message == {
        "to": TO,
        "from": "Coffee",
        "text": TEXT,
        "reference": REFERENCE,
        "receipts_url": RECEIPTS_URL,
    }


HOSTILE = '"},{"a\\":1}&to=+1&x=%00{secret}{to}\r\nX-Evil: 1#/../?ü漢🙂'


@pytest.mark.parametrize("text", [HOSTILE, '"', "\\", "{text}", "a&b=c d+e%20", "\n", "ÿ", "\u2028"])
def test_a_text_stays_within_its_place_in_json_in_a_form_and_in_a_url(httpserver, text):
    answers(httpserver)
    hostile = Sms(REFERENCE, TO, text, portal_clock.now() + 600_000)
    open_http(httpserver, secret="hush").send(hostile)
    assert sent(httpserver).get_json()["text"] == text
    open_http(httpserver, content_type=FORM, body="to={to}&text={text}&from={from}").send(hostile)
    assert form_of(sent(httpserver)) == {"to": TO, "text": text, "from": "Coffee"}
    open_http(httpserver, path="/send?text={text}&to={to_digits}", method="GET").send(hostile)
    raw = sent(httpserver).query_string.decode()
    assert parse_qsl(raw, strict_parsing=True) == [("text", text), ("to", TO[1:])]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.text(min_size=1, max_size=40), st.sampled_from(["text", "from", "reference", "user", "secret"]))
def test_whatever_a_value_holds_each_place_gives_it_back_whole(value, name):
    value = value.encode("utf-8", "replace").decode()
    values = dict.fromkeys(http_templates.NAMES, "1") | {name: value}
    place = f"{{{name}}}"
    made = http_templates.read(f"https://sms.example.com/a/{place}?q={place}&z=1", "", FORM, f"a={place}&z=1")
    assert parse_qsl(made.filled_body(values).decode(), keep_blank_values=True) == [("a", value), ("z", "1")]
    url = made.filled_url(values)
    assert parse_qsl(url.partition("?")[2], keep_blank_values=True) == [("q", value), ("z", "1")]
    assert url.count("/") == 4
    made = http_templates.read("https://sms.example.com/", "", JSON, json.dumps({"a": [f"x{place}"], "b": 2}))
    assert json.loads(made.filled_body(values)) == {"a": [f"x{value}"], "b": 2}


def test_a_header_takes_no_line_of_its_own_out_of_a_value():
    made = http_templates.read("https://sms.example.com/", "X-A: {user}{secret}\nX-B: 1", JSON, "{}")
    values = dict.fromkeys(http_templates.NAMES, "") | {"user": "a\r\nX-Evil: 1", "secret": "ü\x00"}
    assert made.filled_headers(values) == {"x-a": "aX-Evil: 1", "x-b": "1"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"url": "https://{to}.example.com/"}, "url"),
        ({"url": "https://sms.example.com/{password}"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://ringback.example/"}, "url"),
        ({"url": "ftp://sms.example.com/"}, "url"),
        ({"url": "https://sms.example.com/ x"}, "url"),
        ({"check_url": "https://10.0.0.1/"}, "check_url"),
        ({"check_url": "https://sms.example.com/{nothing}"}, "check_url"),
        ({"body": '{"to": {to}}'}, "body"),
        ({"body": '{"to": "{too}"}'}, "body"),
        ({"body": "[" * 5_000}, "body"),
        ({"body": "to={to}&text", "content_type": FORM}, "body"),
        ({"body": "to={nobody}", "content_type": FORM}, "body"),
        ({"headers": "no header"}, "headers"),
        ({"headers": "Host: other.example.com"}, "headers"),
        ({"headers": "Content-Length: 5"}, "headers"),
        ({"headers": "X-A: {text}"}, "headers"),
        ({"headers": "X-A: {texts}"}, "headers"),
        ({"headers": "X-A: ü"}, "headers"),
        ({"headers": "X-A: 1\nx-a: 2"}, "headers"),
        ({"headers": "\n".join(f"X-{n}: 1" for n in range(21))}, "headers"),
        ({"method": "DELETE"}, "method"),
        ({"sender": ""}, "sender"),
        ({"receipt_words": "delivered"}, "receipt_words"),
        ({"receipt_words": "ok = fine"}, "receipt_words"),
        ({"reference_at": "id"}, "reference_at"),
        ({"user": "a:b"}, "user"),
    ],
    ids=repr,
)
def test_a_description_that_makes_no_sense_is_refused_by_its_field(httpserver, values, field):
    with pytest.raises(WrongField) as wrong:
        open_http(httpserver, **values)
    assert wrong.value.field == field
    assert wrong.value.fix


def test_credentials_go_where_the_description_says(httpserver, sms):
    answers(httpserver)
    open_http(httpserver, user="shop", secret="h u s h".replace(" ", "")).send(sms)
    assert base64.b64decode(sent(httpserver).headers["Authorization"][6:]) == b"shop:hush"
    open_http(httpserver, secret="hush", headers="Authorization: Bearer {secret}", user="shop").send(sms)
    assert sent(httpserver).headers["Authorization"] == "Bearer hush"
    open_http(httpserver, path="/send?key={secret}", secret="a&b=c").send(sms)
    assert dict(sent(httpserver).args) == {"key": "a&b=c"}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_signature_stands_over_time_and_body(httpserver, sms, method):
    answers(httpserver)
    open_http(httpserver, method=method, signing_key=KEY, signature_header="X-Sig").send(sms)
    at, _, found = sent(httpserver).headers["X-Sig"].partition(",v1=")
    at = at.removeprefix("t=")
    expected = hmac.digest(KEY.encode(), at.encode() + b"." + sent(httpserver).get_data(), hashlib.sha256)
    assert found == expected.hex()
    assert abs(int(at) - portal_clock.now() // 1000) < 5


@pytest.mark.parametrize(
    ("place", "body", "reference"),
    [
        ("", "anything", REFERENCE),
        ("/id", '{"id": "m1"}', "m1"),
        ("/messages/0/id", '{"messages": [{"id": 42}]}', "42"),
        ("/a~1b/c~0d", '{"a/b": {"c~d": "m1"}}', "m1"),
        ("/id", '{"id": ""}', None),
        ("/id", "[]", None),
        ("/0", '["m1"]', "m1"),
        ("/9", '["m1"]', None),
        ("/id", "no json", None),
        ("/id", '{"id": {"a": 1}}', None),
        ("/id", '{"id": true}', None),
        ("/id", "[" * 5_000, None),
    ],
)
def test_the_reference_stands_where_the_pointer_points(httpserver, sms, place, body, reference):
    answers(httpserver, 202, body)
    assert open_http(httpserver, reference_at=place).send(sms).reference == reference


@pytest.mark.parametrize(
    ("status", "permanent", "is_about_account", "may_have_left"),
    [
        (400, True, False, False),
        (404, True, False, False),
        (422, True, False, False),
        (401, True, True, False),
        (402, True, True, False),
        (403, True, True, False),
        (408, False, False, False),
        (429, False, False, False),
        (500, False, False, False),
        (502, False, False, True),
        (503, False, False, False),
        (504, False, False, True),
        (301, True, False, False),
        (304, True, False, False),
    ],
)
def test_del_06_each_status_decides_whether_asking_again_can_help(
    httpserver, sms, status, permanent, is_about_account, may_have_left
):
    answers(httpserver, status)
    failure = refused(open_http(httpserver), sms)
    assert (failure.permanent, failure.is_about_account, failure.may_have_left) == (
        permanent,
        is_about_account,
        may_have_left,
    )
    assert failure.words == f"HTTP {status}"


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("7", 7_000),
        ("0", 0),
        ("99999999", 3_600_000),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("1.5", None),
    ],
)
def test_del_06_a_rest_that_is_asked_for_in_seconds_is_told(httpserver, sms, said, rest):
    httpserver.expect_request("/send").respond_with_response(Response("", 429, {"Retry-After": said}))
    assert refused(open_http(httpserver), sms).retry_after == rest


def test_del_06_a_rest_that_is_asked_for_by_a_date_is_told(httpserver, sms):
    until = formatdate(portal_clock.now() / 1000 + 60, usegmt=True)
    httpserver.expect_request("/send").respond_with_response(Response("", 503, {"Retry-After": until}))
    assert 55_000 < refused(open_http(httpserver), sms).retry_after <= 60_000


def test_the_check_asks_the_check_address_with_the_credentials(httpserver):
    httpserver.expect_oneshot_request("/me", method="GET").respond_with_data("", 204)
    httpserver.expect_request("/me").respond_with_data("", 401)
    url = f"{httpserver.url_for('/me')}?key={{secret}}"
    carrier = open_http(httpserver, check_url=url, user="shop", secret="hush")
    assert carrier.check()
    assert (sent(httpserver).args["key"], "Authorization" in sent(httpserver).headers) == ("hush", True)
    assert failed(carrier.check).is_about_account


def test_without_a_check_address_only_the_server_is_looked_for(httpserver):
    assert not open_http(httpserver, secret="hush", path="/send?key={secret}").check()
    assert (sent(httpserver).method, sent(httpserver).path) == ("OPTIONS", "/")
    assert "hush" not in str(sent(httpserver).headers)


# --- Receipts ----------------------------------------------------------------------------------------------


def in_json(content: object, **headers: str) -> Arrived:
    """A JSON body that arrives at a receipts address."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Arrived("POST", RECEIPTS_URL, {"content-type": f"{JSON}; charset=utf-8"} | named, body=raw)


@pytest.mark.parametrize(
    "arrived",
    [
        in_json({"reference": "m1", "status": "Delivered"}),
        in_json({"reference": "m1", "status": "DELIVRD"}),
        posted_form(RECEIPTS_URL, {"reference": "m1", "status": "delivered"}),
        got(f"{RECEIPTS_URL}?reference=m1&status=delivered"),
    ],
)
def test_a_receipt_is_read_from_json_from_a_form_and_from_a_query(httpserver, arrived):
    found = open_http(httpserver).read_receipts(arrived)
    assert [(each.reference, each.state) for each in found] == [("m1", ReceiptState.DELIVERED)]


def test_places_and_words_are_those_of_the_description(httpserver):
    carrier = open_http(
        httpserver,
        receipt_reference="/data/0/id",
        receipt_status="/data/0/code",
        receipt_words="1 = delivered\r\n 2=failed \n\n8 = sent",
    )
    for code, state in [(1, ReceiptState.DELIVERED), ("2", ReceiptState.FAILED), (8, ReceiptState.SENT)]:
        (receipt,) = carrier.read_receipts(in_json({"data": [{"id": 7, "code": code}]}))
        assert (receipt.reference, receipt.state) == ("7", state)
    (receipt,) = carrier.read_receipts(in_json({"data": [{"id": 7, "code": 2}]}))
    assert receipt.reason is Reason.PHONE_UNREACHABLE


@pytest.mark.parametrize(
    ("arrived", "trouble"),
    [
        (in_json(b""), "wrong_json"),
        (in_json(b"{"), "wrong_json"),
        (in_json(b"[" * 100_000), "wrong_json"),
        (in_json(b"[]"), "no_reference"),
        (in_json(b"null"), "no_reference"),
        (in_json({}), "no_reference"),
        (in_json({"status": "sent"}), "no_reference"),
        (in_json({"reference": [], "status": {}}), "no_reference"),
        (in_json({"reference": "m1"}), "no_state"),
        (in_json({"reference": "m1", "status": {}}), "no_state"),
        (in_json({"reference": "m1", "status": "  "}), "no_state"),
        (in_json({"reference": "m1", "status": "+819012345678"}), "unknown_word"),
        (got(RECEIPTS_URL), "no_fields"),
        (Arrived("POST", RECEIPTS_URL, {"content-type": "text/plain"}, body=b"{}"), "no_fields"),
        (got(f"{RECEIPTS_URL}?status=delivered"), "no_reference"),
        (posted_form(RECEIPTS_URL, {"reference": "m1", "state": "delivered"}), "no_state"),
    ],
    ids=range(16),
)
def test_a_receipt_that_cannot_be_read_says_what_is_missing_and_nothing_of_what_came(
    httpserver, arrived, trouble
):
    with pytest.raises(UnreadableReceipt) as odd:
        open_http(httpserver).read_receipts(arrived)
    assert (odd.value.trouble, str(odd.value)) == (ReceiptTrouble(trouble), trouble)


def test_del_10_what_is_not_signed_is_no_unreadable_receipt(httpserver):
    with pytest.raises(WrongSignature):
        open_http(httpserver, receipt_key=KEY).read_receipts(in_json(b"{"))


def signed(body: bytes, key: str, *, ago: int = 0, plain: str = "") -> Arrived:
    """A receipt that was signed so many seconds ago, or without a time, after the prefix `plain`."""
    if plain:
        found = plain.strip() + hmac.digest(key.encode(), body, hashlib.sha256).hex()
    else:
        found = http_receipts.signature(key.encode(), str(portal_clock.now() // 1000 - ago), body)
    return in_json(body, x_signature=found)


BODY = json.dumps({"reference": "m1", "status": "delivered"}).encode()


@pytest.mark.parametrize("arrived", [{}, {"ago": 290}, {"plain": " "}, {"plain": "sha256="}], ids=repr)
def test_del_10_a_receipt_with_the_right_signature_counts_and_again_and_again(httpserver, arrived):
    carrier = open_http(httpserver, receipt_key=KEY)
    expected = [Receipt("m1", ReceiptState.DELIVERED, None, "delivered", our_reference="m1")]
    for _ in range(5):
        assert carrier.read_receipts(signed(BODY, KEY, **arrived)) == expected


@pytest.mark.parametrize(
    "arrived",
    [
        in_json(BODY),
        in_json(BODY, x_signature=""),
        in_json(BODY, x_signature="sha256="),
        in_json(BODY, x_signature="ü"),
        in_json(BODY, x_signature="t=1,v1=" + "0" * 64),
        signed(BODY, "another tenant's"),
        signed(BODY, "another tenant's", plain=" "),
        in_json(BODY + b" ", x_signature=signed(BODY, KEY, plain=" ").headers["x-signature"]),
    ],
    ids=range(8),
)
def test_del_10_a_receipt_without_the_right_signature_is_refused(httpserver, arrived):
    with pytest.raises(WrongSignature):
        open_http(httpserver, receipt_key=KEY).read_receipts(arrived)


@pytest.mark.parametrize("ago", [400, -400])
def test_del_10_a_stale_receipt_is_refused(httpserver, ago):
    with pytest.raises(WrongSignature):
        open_http(httpserver, receipt_key=KEY).read_receipts(signed(BODY, KEY, ago=ago))
