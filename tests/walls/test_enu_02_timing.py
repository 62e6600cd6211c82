"""Does the time of an answer tell who exists? (ENU-02)"""

import json
from collections.abc import Callable

import pytest

from portal.models import TokenKind
from tests import factories
from tests.walls import timing
from tests.walls.knocks import Door
from tests.walls.town import bearer, key_of_headers

pytestmark = pytest.mark.slow
PEOPLE = timing.WARM + timing.REQUESTS
ATTEMPT = "wrong password of this test"
ONE_IN_A_THOUSAND = 0.001


@pytest.fixture(scope="module")
def people(town) -> list[str]:
    """Addresses that have an account; an address each request, because tries are counted by address."""
    return [town.person(f"known{each:04d}@example.com").email for each in range(PEOPLE)]


@pytest.fixture
def say(request) -> Callable[[object], None]:
    """Prints a figure although the test passes."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def out(found: object) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n  {request.node.name}: {found}", flush=True)

    return out


def test_enu_02_the_measure_sees_a_difference_and_none_where_there_is_none():
    """What follows would otherwise prove nothing."""
    slow, quick = [float(each % 50) + 10 for each in range(300)], [float(each % 50) for each in range(300)]
    assert timing.mann_whitney(slow, quick) < ONE_IN_A_THOUSAND < timing.mann_whitney(quick, quick[::-1])
    assert not timing.Compared(20.0, 10.0, 0.5).is_alike
    assert timing.Compared(4.0, 0.5, 0.0).is_alike


def form(enter, path: str, status: int, **values: str) -> Callable[[str], None]:
    """Sends one form in a session of nobody's."""
    nobody = enter()

    def send(email: str) -> None:
        answer = nobody.post(path, {"email": email, **values})
        assert answer.status == status, answer.text[:200]

    return send


@pytest.mark.parametrize(("path", "status"), [("/sign-in", 422), ("/password-reset", 200)])
def test_enu_02_the_portal_takes_as_long_for_a_known_as_for_an_unknown_address(
    enter, people, say, path, status
):
    ask = form(enter, path, status, **({"password": ATTEMPT} if path == "/sign-in" else {}))
    found = timing.compare(lambda each: ask(people[each]), lambda each: ask(f"stray{each:04d}@example.com"))
    say(found)

    assert found.is_alike


def log_in(door: Door, town, username: str) -> None:
    sent = {"username": username, "password": ATTEMPT}
    answer = door.call("POST", "/api/oauth2/token", sent, key_of_headers(town.shop.app.id))
    assert (answer.status, answer.json["errorCode"]) == (400, "invalid_grant")


def test_enu_02_a_login_takes_as_long_for_a_known_as_for_an_unknown_user(town, enter, say):
    door, names = enter().door, [town.user(town.shop.app).login_name for _ in range(PEOPLE)]
    found = timing.compare(
        lambda each: log_in(door, town, names[each]), lambda each: log_in(door, town, f"stray{each:04d}")
    )
    say(found)

    assert found.is_alike


def test_enu_02_a_token_is_missed_as_quickly_as_found_whatever_it_begins_with(town, enter, say):
    """Of a token only its hash is looked for, so no beginning of one can be found out."""
    door, real = enter().door, town.token(town.shop.app, town.shop.user, TokenKind.USER)

    def ask(token: str) -> None:
        answer = door.knock("GET", f"/api/apps/{town.shop.app.id}/users/me", bearer(token))
        assert answer.status == 403

    near, far = real[:-1] + ("a" if real[-1] != "a" else "b"), "z" * len(real)
    found = timing.compare(lambda _: ask(near), lambda _: ask(far))
    say(found)

    assert found.is_alike


def test_enu_02_a_client_is_refused_as_quickly_with_its_id_known_as_unknown(town, enter, say):
    app = factories.app(town.rows, client_id="known-client-of-this-test")
    door, path = enter().door, f"/api/apps/{app.id}/oauth2/token"

    def ask(client_id: str) -> None:
        sent = json.dumps({"client_id": client_id, "client_secret": "wrong"}).encode()
        headers = {"Content-Type": "application/json"} | key_of_headers(app.id)
        assert door.knock("POST", path, headers, sent).status == 400

    found = timing.compare(
        lambda _: ask("known-client-of-this-test"), lambda _: ask("stray-client-of-this-test")
    )
    say(found)

    assert found.is_alike
