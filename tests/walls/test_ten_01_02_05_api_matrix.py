"""Who gets past which door of the API, in whose app? Every call and credential (TEN-01, TEN-02, TEN-05)."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from portal.api.operations import OPERATIONS, Who
from portal.models import TokenKind
from tests.api.test_auth import BODIES
from tests.walls.knocks import Answer, Door
from tests.walls.routes import Route, calls, takes
from tests.walls.town import Tenant, Town, bearer, key_of_basic, key_of_headers

CREDENTIALS = ("nobody", "cookie", "app key", "app headers", "user token", "admin token")
APP, USER, ADMIN = "app", "user", "admin"
KINDS = {"app key": APP, "app headers": APP, "user token": USER, "admin token": ADMIN}
ADMITTED = {
    Who.APP: {APP},
    Who.APP_OR_ADMIN: {APP, ADMIN},
    Who.ANY_USER: {USER, ADMIN},
    Who.USER: {USER, ADMIN},
    Who.SELF: {USER},
    Who.ADMIN: {ADMIN},
}
# What says "not with these credentials", whatever else a call may refuse.
SHUT = {"UNAUTHORIZED", "WRONG_TOKEN", "APP_NOT_FOUND"}
LOGS_IN = {"api.tokens_request_token", "api.tokens_request_app_token"}
ANYBODYS = {"api.openapi_show"}


def test_ten_05_the_calls_say_of_themselves_what_the_matrix_says():
    assert {name: each.who for name, each in OPERATIONS.items()} == {
        route.endpoint: route.row for route in calls()
    }


@pytest.mark.parametrize("who", CREDENTIALS)
def test_ten_05_ten_02_each_credential_reaches_its_own_and_a_foreign_thing_is_none(town, enter, who):
    door, before, wrong = enter().door, town.digest(town.inn.app.id), []
    for route in calls():
        if route.endpoint in LOGS_IN | ANYBODYS:
            continue
        told = {}
        for place, ids, headers in places(town, route, who):
            answer = send(door, route, ids, headers)
            told[place] = answer.told(*ids.values())
            if fault := judge(route, who, place, answer):
                wrong.append((str(route), place, fault))
        for one, other in (("foreign", "nowhere"), ("a foreign user", "no user")):
            if told.get(one) != told.get(other):
                wrong.append((str(route), one, told.get(one), told.get(other)))

    assert not wrong, "\n".join(map(str, wrong))
    assert town.digest(town.inn.app.id) == before


def places(town: Town, route: Route, who: str) -> Iterator[tuple[str, Mapping[str, str], dict[str, str]]]:
    shop, nothing = town.shop, town.no_ids()
    own, headers = own_ids(town, route, who)
    yield "foreign", town.inn.ids, headers
    yield "nowhere", nothing, headers
    if "user" in route.parts:
        yield "a foreign user", town.inn.ids | {"app_id": shop.app.id}, headers
        yield "no user", nothing | {"app_id": shop.app.id}, headers
    yield "own", own, headers


def own_ids(town: Town, route: Route, who: str) -> tuple[dict[str, str], dict[str, str]]:
    """A user of the shop made for this one call, and the credential."""
    user = town.user(town.shop.app)
    return town.shop.ids | {"user": user.id}, credential(town, town.shop, who, user)


def credential(town: Town, tenant: Tenant, who: str, user: Any = None) -> dict[str, str]:
    made = {
        "nobody": dict,
        "cookie": lambda: town.sign_in(tenant.owner).cookie,
        "app key": lambda: key_of_basic(tenant.app.id),
        "app headers": lambda: key_of_headers(tenant.app.id),
        "user token": lambda: bearer(town.token(tenant.app, user or tenant.user, TokenKind.USER)),
        "admin token": lambda: bearer(town.token(tenant.app, None, TokenKind.ADMIN)),
    }
    return made[who]()


def send(door: Door, route: Route, ids: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    model = next(iter(OPERATIONS[route.endpoint].consumes.values()), None)
    body: Any = BODIES.get(model.__name__, {}) if model else True
    return door.call(route.method, route.path(ids), None if route.method == "GET" else body, headers)


def judge(route: Route, who: str, place: str, answer: Answer) -> str:
    """What is wrong with an answer; nothing when it is as the matrix says."""
    kind = KINDS.get(who)
    is_admitted = kind in ADMITTED[route.row]
    if kind is None:
        right = answer.status == 401
    elif place in ("foreign", "nowhere"):
        right = answer.status == 404
    elif not is_admitted:
        right = answer.status == 401
    elif place in ("a foreign user", "no user"):
        right = answer.status in (401, 404)
    else:
        right = answer.status < 500 and code_of(answer) not in SHUT
    return "" if right else f"{answer.status} {answer.body[:120]!r}"


def code_of(answer: Answer) -> str:
    return answer.json.get("errorCode", "") if answer.body and answer.status >= 400 else ""


# --- One app in the path, another one elsewhere (TEN-01) ---------------------------------------------------


@pytest.mark.parametrize("who", ["app key", "user token", "admin token"])
def test_ten_01_another_app_in_header_query_or_body_is_refused_or_says_nothing(town, enter, who):
    door, shop, inn = enter().door, town.shop, town.inn
    before, wrong = town.digest(inn.app.id), []
    others = {"app_id": inn.app.id, "appID": inn.app.id, "userID": inn.user.id, "user": inn.user.id}
    for route in calls():
        if "app_id" not in route.parts or route.endpoint in LOGS_IN:
            continue
        ids, headers = own_ids(town, route, who)
        disagreeing = [
            headers | {"X-Kii-AppID": inn.app.id},
            headers | key_of_headers(inn.app.id),
            key_of_basic(shop.app.id) | key_of_headers(inn.app.id),
        ]
        for each in disagreeing:
            answer = send(door, route, ids, each)
            if who != "app key" and answer.status != 404:
                wrong.append((str(route), answer.status))
        query = "&".join(f"{name}={value}" for name, value in others.items())
        answer = door.call(
            route.method,
            f"{route.path(ids)}?{query}&{query}",
            None if route.method == "GET" else others,
            headers,
        )
        if inn.app.id in answer.text or inn.user.id in answer.text:
            wrong.append((str(route), answer.body))

    assert not wrong, "\n".join(map(str, wrong))
    assert town.digest(inn.app.id) == before


def test_ten_01_an_app_is_logged_in_to_with_its_own_credential_only(town, enter):
    door, shop, inn = enter().door, town.shop, town.inn
    sent = {"username": inn.user.login_name, "password": "correct horse battery staple"}
    nobodys = "0" * len(inn.app.id)
    for headers in (key_of_basic(shop.app.id), key_of_headers(shop.app.id)):
        there = door.call("POST", f"/api/apps/{inn.app.id}/oauth2/token", sent, headers)
        nowhere = door.call("POST", f"/api/apps/{nobodys}/oauth2/token", sent, headers)
        assert (there.status, nowhere.status) == (404, 404)
        assert there.told(inn.app.id) == nowhere.told(nobodys)
        assert door.call("POST", "/api/oauth2/token", sent, headers).status == 400
    assert door.call("POST", "/api/oauth2/token", sent, key_of_basic(inn.app.id)).status == 200


@pytest.mark.parametrize("verb", ["PATCH", "PUT", "DELETE", "POST", "TRACE", "PROPFIND"])
def test_ten_05_a_verb_that_no_call_has_is_405_and_changes_nothing(town, enter, verb):
    door, before = enter().door, town.digest_of_all()
    paths = {route.path(town.shop.ids) for route in calls()}
    for path, headers in product(paths, ({}, bearer(town.shop.admin_token))):
        if not takes(path, verb):
            assert door.knock(verb, path, headers).status == 405, (verb, path)
    assert town.digest_of_all() == before
