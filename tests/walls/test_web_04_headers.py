"""Which headers has every answer, whoever asks and however it goes? (WEB-04), as in production"""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from sqlalchemy import text, update

from portal.models import Provider
from tests.walls.knocks import HTMX, Answer
from tests.walls.routes import Route, calls, changing, pages
from tests.walls.rows import Open

ALWAYS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    + "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    + "base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}
KEPT_BY_NOBODY = {"cache-control": "no-store"}
# What besides may come along, and nothing that tells which server or version answers.
OTHERS = {"content-type", "content-length", "x-request-id", "vary", "set-cookie", "date", "connection"}
OTHERS |= {"server", "location", "hx-redirect", "allow", "retry-after", "content-disposition"}
OF_FILES = {"last-modified", "etag", "cache-control", "accept-ranges"}
OF_CALLS = {
    "access-control-allow-origin": "*",
    "cache-control": "no-store",
}
ROLES = ("owner", "support", "other owner", "stranger", "nobody")
STATIC = {"static", "bootstrap.static", "vendor.static", "security.static"}


@pytest.fixture(scope="module")
def site_changes() -> dict[str, str]:
    """As in production, behind one proxy that ends TLS."""
    away = {"production": "true", "secure_cookies": "true", "proxies": "1"}
    return away | {"base_url": "https://ringback.example", "source_calls": "1000000"}


@pytest.fixture(scope="module")
def meant_troubles() -> bool:
    """Rows are broken here."""
    return True


@pytest.fixture
def who(request, town, enter):
    cast = {"owner": town.shop.owner, "support": town.shop.support}
    cast |= {"other owner": town.inn.owner, "stranger": town.charlie}
    return enter(cast.get(request.param))


def faults(answer: Answer, expected: dict[str, str], allowed: set[str]) -> Iterator[str]:
    """What is not as it should be in the headers of an answer: each once, exact, and no other."""
    for name, value in expected.items():
        if answer.header(name) != value:
            yield f"{name}: {answer.header(name)}"
    foreign = {name.lower() for name, _ in answer.headers} - set(expected) - allowed
    if foreign:
        yield f"unknown {foreign}"
    if re.search(r"[0-9/]", answer.header("server")):
        yield "the server tells its version"
    if "unsafe-" in answer.header("content-security-policy"):
        yield "unsafe"


def faults_of_page(answer: Answer) -> list[str]:
    found = list(faults(answer, ALWAYS | KEPT_BY_NOBODY, OTHERS))
    vary = {each.strip() for each in answer.header("vary").split(",")}
    if not {"Cookie", "HX-Request"} <= vary:
        found.append(f"vary: {vary}")
    cookie = answer.header("set-cookie")
    if cookie and not cookie.startswith(("__Host-session=", "theme=")):
        found.append(f"cookie {cookie}")
    return found


@pytest.mark.parametrize("who", ROLES, indirect=True)
def test_web_04_every_page_fragment_and_refusal_has_the_very_set(town, who):
    wrong, statuses = [], set()
    for route, htmx, ids in product(pages(), ({}, HTMX), (town.shop.ids, town.no_ids())):
        if route.method == "GET" and route.endpoint not in STATIC:
            answer = who.get(route.path(ids), htmx)
            statuses.add(answer.status)
            wrong += [(str(route), bool(htmx), answer.status, each) for each in faults_of_page(answer)]
    assert not wrong, wrong[:9]
    assert statuses & {302, 303}
    assert statuses & {200, 404} == {200, 404}


@pytest.mark.parametrize("who", ["owner", "nobody"], indirect=True)
def test_web_04_every_refused_form_has_the_very_set(town, who):
    wrong = []
    for route, headers in product(changing(), ({}, HTMX, {"Origin": "https://evil.example"})):
        answer = who.post(route.path(town.shop.ids), {"csrf_token": "none"}, headers)
        refused = {403} if "Origin" in headers else {400, 200}
        # What is not there at all may say so before it looks at any form.
        assert answer.status in refused | ({404} if route.row is Open.TO_NOBODY else set()), str(route)
        wrong += [(str(route), headers, each) for each in faults_of_page(answer)]
    for path in ("/sign-in", "/apps", "/no-such-page"):
        for verb in ("PUT", "TRACE", "DELETE"):
            answer = who.door.knock(verb, path, who.cookie)
            assert answer.status in (404, 405)
            wrong += [(verb, path, each) for each in faults_of_page(answer)]
    assert not wrong, wrong[:9]


def test_web_04_an_invalid_form_and_a_large_one_have_the_very_set(town, enter):
    alice = enter(town.shop.owner)
    answers = [alice.post("/apps", {"name": ""}), alice.post("/apps", {"name": "x" * 66_000})]

    assert [answer.status for answer in answers] == [422, 413]
    assert [faults_of_page(answer) for answer in answers] == [[], []]


def test_web_04_a_500_and_a_database_in_trouble_have_the_very_set(town, enter):
    alice, shop = enter(town.shop.owner), f"/apps/{town.shop.app.id}"
    broken = town.new_ids(town.shop)["provider_id"]
    town.rows.execute(update(Provider).where(Provider.id == broken).values(settings=7))
    answers = [alice.get(f"{shop}/provider/{broken}"), alice.get(f"{shop}/provider/{broken}", HTMX)]
    town.rows.execute(update(Provider).where(Provider.id == broken).values(settings={}))
    town.rows.execute(text("ALTER TABLE message RENAME TO message_away"))
    try:
        answers += [alice.get(f"{shop}/messages"), alice.get(f"{shop}/messages", HTMX)]
    finally:
        town.rows.execute(text("ALTER TABLE message_away RENAME TO message"))

    assert [answer.status for answer in answers[:2]] == [500, 500]
    assert {answer.status for answer in answers[2:]} <= {500, 503}
    assert [faults_of_page(answer) for answer in answers] == [[]] * 4
    for answer in answers:
        assert not any(word in answer.text for word in ("Traceback", "message_away", "sqlalchemy", "SELECT"))


def test_web_04_our_files_have_the_set_and_are_nobodys(enter):
    for route in [each for each in pages() if each.endpoint in STATIC]:
        for name in ("css/tokens.css", "css/bootstrap.min.css", "htmx.min.js", "none"):
            answer = enter().door.get(route.rule.replace("<path:filename>", name))
            assert list(faults(answer, ALWAYS, OTHERS | OF_FILES)) == [], (str(route), name)
            assert not answer.header("set-cookie")


def test_web_04_calls_have_no_cookie_and_are_kept_by_nobody(town, enter):
    door = enter().door
    for route in calls():
        for method in (route.method, "TRACE", "OPTIONS"):
            answer = door.knock(method, route.path(town.shop.ids), {"Origin": "https://evil.example"})
            assert {name: answer.header(name) for name in OF_CALLS} == OF_CALLS, str(route)
            assert not answer.header("set-cookie")
            assert not answer.header("access-control-allow-credentials")


def test_web_10_no_page_allows_another_origin_to_read_it(town, enter):
    alice = enter(town.shop.owner)
    for route in (each for each in pages() if each.method == "GET"):
        for verb in ("GET", "OPTIONS"):
            headers = alice.cookie | {
                "Origin": "https://evil.example",
                "Access-Control-Request-Method": "POST",
            }
            answer = alice.door.knock(verb, route.path(town.shop.ids), headers)
            assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


def test_web_04_a_page_of_one_person_is_never_served_to_another_by_a_shared_cache(town, enter):
    """A cache in front keeps by address and by what Vary names, as far as Cache-Control lets it."""
    kept: dict[tuple[str, str], Answer] = {}
    paths = [route.path(town.shop.ids) for route in pages() if is_page_of(route)]
    people = [enter(town.shop.owner), enter(town.charlie), enter()]
    for browser, path in product(people, paths):
        answer = kept.get((path, browser.key)) or kept.get((path, "")) or browser.get(path)
        if "no-store" not in answer.header("cache-control"):
            kept[path, browser.key if "Cookie" in answer.header("vary") else ""] = answer
        assert browser is people[0] or b"alice@example.com" not in answer.body, path
    assert kept == {}


def is_page_of(route: Route) -> bool:
    return route.method == "GET" and route.endpoint not in STATIC
