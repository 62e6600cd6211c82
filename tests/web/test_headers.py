"""What may a browser do with our pages? (WEB-03, WEB-04, WEB-05, WEB-06)"""

import dataclasses
import json
import re
from html import unescape

import pytest
from markupsafe import escape

from portal.database import db
from portal.factory import create_app
from portal.models import App

EXPECTED = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    + "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    + "base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "http://localhost.evil.example"},
]
PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" hx-get="/apps" hx-trigger="load',
    "{{7*7}}",
    "<svg onload=alert(1)>",
]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/sign-in", 200), ("/", 302), ("/apps", 303), ("/no-such-page", 404), ("/sign-out", 405)],
)
def test_web_04_every_answer_carries_the_headers(stranger, path, status):
    answer = stranger.get(path)

    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
    assert {"Cookie", "HX-Request"} <= set(answer.vary)


def test_web_04_fragments_and_refusals_carry_them_too(alices, bobs, shop):
    answers = [
        alices.fragment(f"/apps/{shop.id}/users", "results"),
        alices.post("/apps", {"name": ""}),
        bobs.get(f"/apps/{shop.id}/inbox"),
        alices.client.post("/apps"),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 403, 400]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED


def test_web_04_over_https_the_cookie_is_bound_to_the_host_and_hsts_is_sent(settings):
    app = create_app(dataclasses.replace(settings, secure_cookies=True))
    answer = app.test_client().get("/sign-in")
    with app.app_context():
        db.engine.dispose()

    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert answer.headers["Set-Cookie"].startswith("__Host-session=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_our_files_are_cached_for_a_year_by_a_version_that_follows_their_content(stranger):
    page = stranger.get("/sign-in").text
    addresses = [unescape(found) for found in re.findall(r'(?:href|src)="(/(?:static|vendor)/[^"]+)"', page)]

    assert len(addresses) > 5
    for address in addresses:
        assert "v=" in address
        with stranger.get(address) as answer:
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_bootstrap_comes_from_here(stranger):
    with stranger.get("/static/css/tokens.css") as tokens:
        assert '@import url("/bootstrap/static/css/bootstrap.min.css")' in tokens.text
    with stranger.get("/bootstrap/static/css/bootstrap.min.css") as bootstrap:
        assert bootstrap.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/apps",
        "/apps/{0}/verification/switch",
        "/apps/{0}/sms-templates/ja",
        "/sign-in",
        "/sign-out",
        "/theme",
    ],
)
def test_web_03_no_form_is_taken_without_the_token_of_its_session(alices, shop, path):
    assert alices.client.post(path.format(shop.id), data={"required": "y"}).status_code == 400
    assert alices.client.post(path.format(shop.id), headers={"HX-Request": "true"}).status_code == 400


def test_web_03_another_persons_token_is_refused(alices, bobs):
    assert alices.post("/apps", {"csrf_token": bobs.token()}).status_code == 400


@pytest.mark.parametrize("headers", FOREIGN)
def test_web_03_a_form_from_another_site_is_refused_whatever_its_token(alices, shop, session, headers):
    answer = alices.post(f"/apps/{shop.id}/verification/switch", {}, headers=headers)

    assert answer.status_code == 403
    assert "another site" in answer.text


def test_web_03_our_own_forms_pass_though_our_pages_send_no_origin(alices, shop):
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}

    assert alices.post(f"/apps/{shop.id}/verification/switch", {}, headers=headers).status_code == 303


def test_web_05_htmx_is_told_to_trust_nothing(stranger):
    meta = re.search(r"name=\"htmx-config\" content='([^']+)'", stranger.get("/sign-in").text)[1]
    told = json.loads(meta)

    assert told["selfRequestsOnly"] is True
    assert (told["allowEval"], told["allowScriptTags"], told["includeIndicatorStyles"]) == (
        False,
        False,
        False,
    )
    assert told["historyCacheSize"] == 0
    assert {"code": "422", "swap": True} in told["responseHandling"]


@pytest.mark.parametrize("text", PAYLOADS)
def test_web_06_foreign_text_is_only_ever_text(alices, shop, customer, session, text):
    customer.display_name = text
    session.flush()

    for path in ("/users", f"/users/{customer.id}"):
        page = alices.get(f"/apps/{shop.id}{path}").text
        assert f"<bdi hx-disable>{escape(text)}</bdi>" in page
        assert text == str(escape(text)) or text not in page


@pytest.mark.parametrize("text", PAYLOADS)
def test_web_06_a_search_comes_back_as_text(alices, shop, text):
    page = alices.get(f"/apps/{shop.id}/users", query_string={"q": text}).text

    assert str(escape(text)) in page
    assert text == str(escape(text)) or text not in page


def test_web_10_a_form_of_more_than_64_kib_is_refused(alices):
    assert alices.post("/apps", {"name": "x" * 66_000}).status_code == 413


def test_web_03_a_switch_on_a_page_whose_session_ended_leads_to_sign_in(stranger, shop, session):
    answer = stranger.client.post(f"/apps/{shop.id}/verification/switch", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/sign-in")
    assert session.get(App, shop.id).phone_number_verification_required


@pytest.fixture
def at_home(settings):
    """A client of a portal that knows its own address; `at_home(production=True)` of one in production."""
    made = []

    def make(**changes):
        made.append(
            create_app(dataclasses.replace(settings, base_url="https://ringback.example:8443", **changes))
        )
        return made[-1].test_client()

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("host", ["evil.example", "ringback.example.evil.example", "x:y", ""])
def test_web_07_a_page_is_refused_on_a_host_that_is_not_ours_in_our_own_look(at_home, host, method):
    answer = at_home().open("/sign-in", method=method, headers={"Host": host})

    assert answer.status_code == 400
    assert "This is not the address of this portal" in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert 'href="/apps"' in answer.text
    assert not host or host not in answer.text
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/oauth2/token", "/api/nothing"])
def test_web_07_a_call_is_refused_on_a_host_that_is_not_ours_as_json(at_home, path):
    for method in ("GET", "POST"):
        answer = at_home().open(path, method=method, headers={"Host": "evil.example"})

        assert (answer.status_code, answer.json["errorCode"]) == (400, "INVALID_INPUT_DATA")
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    ("host", "production", "status"),
    [
        ("ringback.example", True, 200),
        ("ringback.example:8443", True, 200),
        ("ringback.example", False, 200),
        ("localhost:5000", False, 200),
        ("127.0.0.1", False, 200),
        ("localhost", True, 400),
        ("127.0.0.1:8080", True, 400),
    ],
)
def test_web_07_our_own_host_is_answered_and_this_machine_only_when_trying_out(
    at_home, host, production, status
):
    client = at_home(production=production)

    assert client.get("/sign-in", headers={"Host": host}).status_code == status
    assert client.get("/api/openapi.json", headers={"Host": host}).status_code == status


def test_web_07_without_a_base_url_any_host_is_answered(stranger):
    assert stranger.get("/sign-in", headers={"Host": "192.0.2.7:8080"}).status_code == 200
