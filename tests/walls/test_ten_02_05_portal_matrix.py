"""Who gets past which door of the portal, in whose app? Every route, verb and role (TEN-02, TEN-05)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import pytest

from portal.core.roles import Action, Role, may
from portal.models import Account
from tests.walls.knocks import HTMX, Answer
from tests.walls.routes import Route, all_routes, pages, takes
from tests.walls.rows import ROWS, Open
from tests.walls.town import Browser, Tenant, Town, bearer, key_of_basic, key_of_headers

# They take a list's words back with a notice instead of 404; what they say is the same for every id.
TAKEN_BACK = {"team.withdraw", "accounts.end_sign_in", "accounts.remove_passkey"}
SIGN_OUT = "security.logout"
OF_ACCOUNTS = {"passkey_id", "sign_in_id"}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
PEOPLE = ("owner", "support", "other owner", "stranger")
NOBODIES = ("nobody", "app key", "app headers", "user token", "admin token")


@dataclass(frozen=True)
class Actor:
    """Somebody with an account: the role in the app at home, and an app that is another's."""

    account: Account
    role: Role | None
    home: Tenant
    away: Tenant

    def role_in(self, app_id: str) -> Role | None:
        """The role in an app."""
        return self.role if app_id == self.home.app.id else None


@pytest.fixture
def cast(town: Town) -> dict[str, Actor]:
    """Everybody with an account. To Charlie both apps are foreign."""
    shop, inn = town.shop, town.inn
    return {
        "owner": Actor(shop.owner, Role.OWNER, shop, inn),
        "support": Actor(shop.support, Role.SUPPORT, shop, inn),
        "other owner": Actor(inn.owner, Role.OWNER, inn, shop),
        "stranger": Actor(town.charlie, None, shop, inn),
    }


def test_ten_05_every_route_has_a_row_and_every_row_a_route():
    assert {route.endpoint for route in all_routes()} == set(ROWS)


def test_ten_05_the_guards_are_those_of_the_matrix(app):
    guards = {name: getattr(view, "guard", None) for name, view in app.view_functions.items()}
    of_apps = {name for name, row in ROWS.items() if isinstance(row, Action)}

    assert {name: guards[name] for name in of_apps} == {name: ROWS[name] for name in of_apps}
    assert {name for name, guard in guards.items() if isinstance(guard, Action)} == of_apps


@pytest.mark.parametrize("who", PEOPLE)
def test_ten_05_ten_02_each_role_gets_what_the_matrix_says_and_a_foreign_thing_is_none(
    town, cast, enter, who
):
    actor = cast[who]
    door, before = enter(actor.account).door, town.digest(actor.away.app.id)
    wrong = []
    for route, headers in product(of_apps(), ({}, HTMX)):
        told = {}
        for place, ids in places(town, actor, route):
            answer = knock(town.sign_in(actor.account, door), route, ids, headers)
            told[place] = answer.told(*ids.values())
            if fault := judge(route, actor.role_in(ids["app_id"]), place, answer):
                wrong.append((str(route), place, bool(headers), fault))
        wrong += [(str(route), *pair) for pair in differing(told)]

    assert not wrong, "\n".join(map(str, wrong))
    assert town.digest(actor.away.app.id) == before


def of_apps() -> list[Route]:
    return [route for route in pages() if isinstance(route.row, Action)]


def places(town: Town, actor: Actor, route: Route) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Whose ids the address names. What may be changed is made for it, so that the rest stays as it is."""
    nothing, here = town.no_ids(), {"app_id": actor.home.app.id}
    changes = route.method != "GET" and may(actor.role, route.row)
    yield "foreign", actor.away.ids
    yield "nowhere", nothing
    if route.parts - {"app_id"}:
        yield "a foreign thing", actor.away.ids | here
        yield "no thing", nothing | here
    yield "own", town.new_ids(actor.home) if changes else actor.home.ids


def knock(browser: Browser, route: Route, ids: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    if route.method == "GET":
        return browser.get(route.path(ids), dict(headers))
    return browser.post(route.path(ids), {}, dict(headers))


def judge(route: Route, role: Role | None, place: str, answer: Answer) -> str:
    """What is wrong with an answer; nothing when it is as the matrix says."""
    allowed = isinstance(route.row, Action) and may(role, route.row)
    if role is None:
        right = answer.status == 404
    elif not allowed:
        right = answer.status == 403
    elif place in ("a foreign thing", "no thing"):
        right = answer.status == 404 or (route.endpoint in TAKEN_BACK and answer.status in (200, 303))
    else:
        right = answer.status not in (400, 401, 403, 404, 405) and answer.status < 500
    return "" if right else f"{answer.status} for {role}"


def differing(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Pairs of places that must read alike, and do not."""
    for one, other in (("foreign", "nowhere"), ("a foreign thing", "no thing")):
        if told.get(one) != told.get(other) and other in told:
            yield one, other


# --- Without an account: nobody, and whoever holds keys and tokens of the API ------------------------------


@pytest.mark.parametrize("who", NOBODIES)
def test_ten_05_nobody_and_no_key_of_the_api_comes_in_and_all_ids_read_alike(town, enter, who):
    door, shop, before = enter().door, town.shop, town.digest_of_all("account_session")
    shown = {
        "nobody": {},
        "app key": key_of_basic(shop.app.id),
        "app headers": key_of_headers(shop.app.id),
        "user token": bearer(shop.user_token),
        "admin token": bearer(shop.admin_token),
    }[who]
    wrong = []
    for route, htmx in product(guarded(), ({}, HTMX)):
        told = []
        for ids in (shop.ids, town.inn.ids, town.no_ids()):
            answer = knock(town.sign_in(None, door), route, ids, htmx | shown)
            told.append(answer.told(*ids.values()))
            target = answer.header("HX-Redirect" if htmx else "Location")
            if answer.status != (200 if htmx else 303) or not target.startswith("/sign-in"):
                wrong.append((str(route), bool(htmx), answer.status, target))
        if told[1:] != told[:-1]:
            wrong.append((str(route), bool(htmx), "differs by its ids"))

    assert not wrong, "\n".join(map(str, wrong))
    assert town.digest_of_all("account_session") == before


def guarded() -> list[Route]:
    """All that takes an account. Flask-Security's own sign-out leads everybody to the sign-in page."""
    return [
        route
        for route in pages()
        if isinstance(route.row, Action) or (route.row is Open.TO_MEMBERS and route.endpoint != SIGN_OUT)
    ]


# --- One's own account -------------------------------------------------------------------------------------


def test_ten_02_a_passkey_or_a_sign_in_of_another_account_reads_as_none_and_stays(town, enter):
    door, before = enter().door, town.digest_of_all("account_session")
    olgas = town.session_of(town.sign_in(town.inn.owner).key)
    told: dict[tuple, list] = {}
    for route, htmx in product([each for each in pages() if each.parts & OF_ACCOUNTS], ({}, HTMX)):
        for ids in (town.inn.ids | {"sign_in_id": olgas}, town.no_ids()):
            browser = town.sign_in(town.shop.owner, door)
            answer = knock(browser, route, ids, htmx)
            shown = browser.get("/account").told(*ids.values(), browser.key)
            told.setdefault((str(route), bool(htmx)), []).append((answer.told(*ids.values()), shown[0]))

    assert told
    assert [route for route, (foreign, nowhere) in told.items() if foreign != nowhere] == []
    assert town.digest_of_all("account_session") == before
    assert town.session_of_id(olgas)


def test_ten_02_a_link_that_opens_nothing_reads_as_any_other(town, enter):
    """The links themselves are the keys of these pages, so whoever holds one comes in."""
    door = enter().door
    for route in [each for each in pages() if "link" in each.parts]:
        answers = [knock(town.sign_in(None, door), route, town.no_ids(), {}) for _ in range(2)]
        told = [answer.told(route.path({"link": ""})) for answer in answers]
        assert [each[0] for each in told] == [404, 404], str(route)
    assert door.get(f"/invites/{town.shop.ids['link']}").status == 200


def test_ten_02_a_carriers_address_without_its_token_tells_not_which_providers_there_are(town, enter):
    door, before = enter().door, town.digest_of_all()
    wrong = {"token": town.no_ids()["token"]}
    told = set()
    for ids, verb in product((town.shop.ids, town.inn.ids, town.no_ids()), ("GET", "POST")):
        answer = door.knock(verb, f"/receipts/{ids['provider_id']}/{wrong['token']}")
        told.add(answer.told())

    assert {status for status, _ in told} == {403}
    assert len(told) == 1
    assert town.digest_of_all() == before


# --- Verbs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["owner", "nobody"])
def test_ten_05_a_verb_that_no_route_has_is_405_for_everybody_and_changes_nothing(town, cast, enter, who):
    account = cast[who].account if who in cast else None
    before, wrong = town.digest_of_all("account_session"), []
    browser = enter(account)
    headers = browser.cookie | {"X-CSRFToken": browser.csrf}
    for path, verb in product({route.path(town.shop.ids) for route in pages()}, VERBS):
        if not takes(path, verb):
            answer = browser.door.knock(verb, path, headers)
            if answer.status != 405:
                wrong.append((verb, path, answer.status))

    assert not wrong, "\n".join(map(str, wrong))
    assert town.digest_of_all("account_session") == before
