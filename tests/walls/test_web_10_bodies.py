"""Is too much refused quickly, by pages and calls, and does nothing of it stay in memory? (WEB-10)"""

import json
import time
from collections.abc import Iterator

import pytest

from tests.walls.knocks import FORM, Answer, raw
from tests.walls.routes import changing, takes
from tests.walls.rows import Open
from tests.walls.servers import Site
from tests.walls.town import Browser, bearer

MB = 1024 * 1024
QUICK = 1.0
MORE_MB = 40
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=b"
FILES = {"sms_template_files.examine", "sms_template_files.bring_in"}


def timed(asking) -> tuple[Answer, float]:
    began = time.monotonic()
    answer = asking()
    return answer, time.monotonic() - began


@pytest.fixture
def alice(town, enter) -> Browser:
    return enter(town.shop.owner)


def too_much(csrf: str) -> Iterator[tuple[str, str, bytes, int]]:
    """Bodies that no form of ours comes near: what each is, its kind, its bytes and its status."""
    token = f"csrf_token={csrf}&".encode()
    part = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
    proof = part % (b"csrf_token", b"", csrf.encode())
    many = b"".join(part % (b"p%d" % each, b"", b"1") for each in range(1_000))
    file = part % (b"f", b'; filename="f"', b"x" * MB)
    yield "65 KiB", FORM, token + b"name=" + b"x" * 65 * 1024, 413
    yield "10,000 values", FORM, token + b"&".join(b"a%04d=1" % each for each in range(10_000)), 413
    yield "1,001 parts", MULTIPART, proof + many + b"--b--\r\n", 413
    yield "a file of 1 MB", MULTIPART, proof + file + b"--b--\r\n", 413
    # It brings no token that anybody would look for there.
    yield "an array 10,000 deep", JSON, b"[" * 10_000 + b"]" * 10_000, 400


def test_web_10_every_form_refuses_too_much_within_a_second(town, site, alice):
    before, slowest = town.digest_of_all("account_session"), 0.0
    for route in [each for each in changing() if each.row is not Open.TO_NOBODY]:
        for name, kind, body, status in too_much(alice.csrf):
            request = posting(site, alice, route.path(town.shop.ids), kind, body)
            answer, took = timed(lambda it=request: raw(site.port, it))
            # Files of wordings may be longer, and have a limit of their own (test_sms_template_files.py).
            longer = route.endpoint in FILES and kind == FORM
            assert answer.status in ((400, 422) if longer else (status,)), (str(route), name, answer.status)
            slowest = max(slowest, took)

    assert slowest < QUICK
    assert town.digest_of_all("account_session") == before


def posting(site: Site, browser: Browser, path: str, kind: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {site.host}\r\nConnection: close\r\n"
    head += (
        f"Cookie: {browser.cookie['Cookie']}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@pytest.mark.parametrize("path", ["/sign-in", "/apps", "/api/apps/{app}/users"])
def test_web_10_ten_megabytes_of_unknown_length_are_refused_and_leave_no_memory(site, town, alice, path):
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = f"POST {path.format(app=town.shop.app.id)} HTTP/1.1\r\nHost: {site.host}\r\n"
    head += f"Cookie: session={alice.key}\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    before = site.memory_mb()
    for _ in range(10):
        answer, took = timed(lambda: raw(site.port, head.encode() + chunk * 160 + b"0\r\n\r\n"))
        assert answer.status in (400, 401, 413, 415)
        assert took < QUICK
    assert site.memory_mb() < before + MORE_MB


@pytest.mark.parametrize(
    ("kind", "body", "statuses"),
    [
        (JSON, b"[" * 10_000 + b"]" * 10_000, {400}),
        (JSON, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, {400}),
        (JSON, b'{"verificationCode":"000000","verificationCode":"123456"}', {400}),
        (JSON, b'{"verificationCode":"' + b"9" * 131_100 + b'"}', {413}),
        ("text/plain", b'{"verificationCode":"123456"}', {415}),
        (FORM, b"verificationCode=123456", {415}),
        ("application/xml", b"<verificationCode/>", {415}),
        (JSON, b'{"verificationCode":NaN}', {400}),
        (JSON, b"\xff\xfe\x00", {400}),
        (JSON, json.dumps({"verificationCode": "1" * 65_000}).encode(), {400, 403}),
    ],
)
def test_web_10_a_call_refuses_a_body_that_is_no_plain_small_json(town, enter, kind, body, statuses):
    door, path = enter().door, f"/api/apps/{town.shop.app.id}/users/me/phone-number/verify"
    headers = bearer(town.shop.user_token) | {"Content-Type": kind}
    answer, took = timed(lambda: door.knock("POST", path, headers, body))

    assert answer.status in statuses, answer.body[:200]
    assert took < QUICK


@pytest.mark.parametrize("verb", ["TRACE", "TRACK", "CONNECT", "DEBUG", "INVENTED"])
def test_web_10_a_strange_verb_is_refused_and_echoes_nothing(town, site, alice, verb):
    secret = "canary-of-the-request"
    for path in ("/sign-in", "/apps", "/", f"/api/apps/{town.shop.app.id}/users", "/api/openapi.json"):
        assert not takes(path, verb)
        request = (
            f"{verb} {path} HTTP/1.1\r\nHost: {site.host}\r\nX-Canary: {secret}\r\nConnection: close\r\n\r\n"
        )
        answer = raw(site.port, request.encode())
        assert answer.status in (400, 404, 405, 501), (path, answer.status)
        assert secret not in answer.text
