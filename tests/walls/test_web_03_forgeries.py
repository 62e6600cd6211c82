"""Can another site make a signed-in browser change anything? Every changing route and trick (WEB-03)."""

import json
from collections.abc import Callable, Iterator
from itertools import product

import pytest
from sqlalchemy import select

from portal.models import AuditAction, AuditEntry
from tests.walls.knocks import FORM, HTMX, Answer
from tests.walls.routes import Route, calls, changing, pages
from tests.walls.rows import Open
from tests.walls.town import Browser

EVIL = "https://evil.example"
Trick = Callable[[Browser, Browser, str], Answer]


def send(
    browser: Browser, path: str, values: dict[str, str], headers: dict[str, str] | None = None
) -> Answer:
    """A form with just these values."""
    return browser.door.post(path, values, browser.cookie | (headers or {}))


def in_body(kind: str, write: Callable[[dict[str, str]], str]) -> Trick:
    """The right token in a body that no form of ours sends."""

    def trick(alice: Browser, _bob: Browser, path: str) -> Answer:
        body = write({"csrf_token": alice.csrf}).encode()
        return alice.door.knock("POST", path, alice.cookie | {"Content-Type": kind}, body)

    return trick


def with_token(headers: dict[str, str]) -> Trick:
    """The right token, as if it had leaked, from where it must not come."""
    return lambda alice, _bob, path: send(alice, path, {"csrf_token": alice.csrf}, headers)


WITHOUT_TOKEN: dict[str, Trick] = {
    "no token": lambda alice, _bob, path: send(alice, path, {}),
    "no token, htmx": lambda alice, _bob, path: send(alice, path, {}, HTMX),
    "an empty token": lambda alice, _bob, path: send(alice, path, {"csrf_token": ""}),
    "another person's token": lambda alice, bob, path: send(alice, path, {"csrf_token": bob.csrf}),
    "another person's token, htmx": lambda alice, bob, path: send(
        alice, path, {}, HTMX | {"X-CSRFToken": bob.csrf}
    ),
    "token in a cookie only": lambda alice, _bob, path: alice.door.post(
        path, {}, {"Cookie": f"{alice.cookie['Cookie']}; csrf_token={alice.csrf}; X-CSRFToken={alice.csrf}"}
    ),
    "token in the address only": lambda alice, _bob, path: send(alice, f"{path}?csrf_token={alice.csrf}", {}),
    "plain text": in_body("text/plain", lambda values: "&".join(f"{n}={v}" for n, v in values.items())),
    "json": in_body("application/json", json.dumps),
    "json as plain text": in_body("text/plain", json.dumps),
    "json as a form": in_body(FORM, json.dumps),
}
FROM_ELSEWHERE: dict[str, Trick] = {
    "origin evil": with_token({"Origin": EVIL}),
    "origin evil, htmx": with_token(HTMX | {"Origin": EVIL}),
    "origin evil, fetched from here": with_token({"Origin": EVIL, "Sec-Fetch-Site": "same-origin"}),
    "cross-site": with_token({"Sec-Fetch-Site": "cross-site"}),
    "same-site": with_token({"Sec-Fetch-Site": "same-site"}),
    "cross-site of null": with_token({"Origin": "null", "Sec-Fetch-Site": "cross-site"}),
}


@pytest.mark.parametrize("who", ["owner", "nobody"])
@pytest.mark.parametrize(
    ("tricks", "status"), [(WITHOUT_TOKEN, 400), (FROM_ELSEWHERE, 403)], ids=["no token", "from elsewhere"]
)
def test_web_03_no_trick_changes_anything_at_any_route(town, enter, who, tricks, status):
    account = town.shop.owner if who == "owner" else None
    alice, bob = enter(account), enter(town.shop.support)
    before, wrong = town.digest_of_all("account_session"), []
    sign_ins = town.sign_ins()
    for route, (name, trick) in product(forms(), tricks.items()):
        answer = trick(alice, bob, route.path(town.shop.ids))
        # A page that was left open until its session ended is led to the sign-in page, and does nothing.
        led_away = who == "nobody" and status == 400 and "htmx" in name
        if answer.status != status and not (led_away and answer.header("HX-Redirect") == "/sign-in"):
            wrong.append((str(route), name, answer.status))

    assert not wrong, wrong[:9]
    assert town.digest_of_all("account_session") == before
    assert town.sign_ins() == sign_ins


def forms() -> list[Route]:
    return [route for route in changing() if route.row is not Open.TO_NOBODY]


def test_web_03_there_is_no_other_method_behind_a_method(town, enter):
    alice = enter(town.shop.owner)
    before, sign_ins = town.digest_of_all("account_session"), town.sign_ins()
    for route, verb in product(forms(), ("POST", "DELETE", "PUT")):
        path = route.path(town.shop.ids)
        asked = {"X-HTTP-Method-Override": verb, "X-HTTP-Method": verb, "X-Method-Override": verb}
        answer = alice.get(f"{path}?_method={verb}&csrf_token={alice.csrf}", asked)
        assert answer.status in (200, 302, 303, 404, 405, 409), (str(route), answer.status)
    assert (town.digest_of_all("account_session"), town.sign_ins()) == (before, sign_ins)


@pytest.mark.parametrize("who", ["owner", "support", "stranger", "nobody"])
def test_web_03_opening_any_page_changes_no_row(town, enter, who):
    cast = {"owner": town.shop.owner, "support": town.shop.support, "stranger": town.charlie}
    browser = enter(cast.get(who))
    besides = ("account_session", "audit_entry")
    before, sign_ins, said = town.digest_of_all(*besides), town.sign_ins(), told(town)
    for route, ids, headers in product(pages(), (town.shop.ids, town.inn.ids), ({}, HTMX)):
        if route.method == "GET":
            for verb in ("GET", "HEAD"):
                browser.door.knock(verb, route.path(ids), browser.cookie | headers)
    # A session keeps the tokens and challenges of its own pages; who is signed in does not change. That
    # somebody asked for an app that is not theirs is on record, and nothing else is (PII-07).
    assert (town.digest_of_all(*besides), town.sign_ins()) == (before, sign_ins)
    assert {action for action, _id in told(town) - said} <= {AuditAction.APP_REFUSED}


def told(town) -> set[tuple[str, int]]:
    """What the audit log says, as actions with their places."""
    return {tuple(row) for row in town.rows.execute(select(AuditEntry.action, AuditEntry.id))}


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_web_03_nobody_is_signed_in_or_out_by_another_site(town, enter, path):
    alice, bob = enter(town.shop.owner), enter(town.shop.support)
    values = {"email": town.charlie.email, "password": "correct horse battery staple"}
    for name, trick in (WITHOUT_TOKEN | FROM_ELSEWHERE).items():
        answer = trick(alice, bob, path)
        assert answer.status in (400, 403), name
        assert not answer.header("Set-Cookie"), name
    login_csrf = alice.door.post(path, values)
    assert login_csrf.status == 400
    assert alice.get("/apps").status == 200


def test_web_03_a_signed_in_browser_lends_the_api_nothing(town, enter):
    alice, before = enter(town.shop.owner), town.digest_of_all()
    for route in calls():
        if route.method != "GET":
            body = json.dumps({"loginName": "forged", "password": "pass1234"}).encode()
            headers = alice.cookie | {"Content-Type": "text/plain", "Origin": EVIL}
            answer = alice.door.knock(route.method, route.path(town.shop.ids), headers, body)
            assert answer.status in (400, 401, 415), (str(route), answer.status)
    assert town.digest_of_all() == before


def test_web_03_a_form_of_our_own_page_is_taken(town, enter):
    """The tricks above fail for the right reason."""
    alice, path = enter(town.shop.owner), f"/apps/{town.shop.app.id}/verification/switch"
    for headers in accepted(alice):
        assert alice.door.post(path, {"csrf_token": alice.csrf}, alice.cookie | headers).status == 303


def accepted(alice: Browser) -> Iterator[dict[str, str]]:
    yield {}
    yield {"Origin": f"http://{alice.door.host}", "Sec-Fetch-Site": "same-origin"}
    yield {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
