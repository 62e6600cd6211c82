"""Does a session end when it should, in every process of the server? (WEB-01, WEB-02, TEN-06)"""

import re
import threading
import time
from dataclasses import dataclass, field

import pytest
from sqlalchemy import delete, update

from portal import clock
from portal.models import Account, AccountSession, AttemptTally
from portal.services.tokens import hashed
from tests import factories
from tests.walls.knocks import Answer, Door
from tests.walls.servers import serving
from tests.walls.town import PASSWORD, Browser

NEW_PASSWORD = "wooden ladder under the moon"
SECONDS_BETWEEN = 0.1


def cookie_of(answer: Answer) -> str:
    found = re.match(r"(?:__Host-)?session=([^;]*)", answer.header("Set-Cookie"))
    assert found, answer.headers
    return found[1]


def csrf_of(answer: Answer) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert found
    return found[1]


def sign_in(door: Door, person: Account, planted: str = "", password: str = PASSWORD) -> Browser:
    """Types address and password, as a browser does that may hold a cookie already."""
    page = door.get("/sign-in", {"Cookie": f"session={planted}"} if planted else {})
    key = planted if not page.header("Set-Cookie") else cookie_of(page)
    values = {"csrf_token": csrf_of(page), "email": person.email, "password": password}
    answer = door.post("/sign-in", values, {"Cookie": f"session={key}"})
    assert (answer.status, answer.header("Location")) == (302, "/apps"), answer.status
    return Browser(door, cookie_of(answer), "")


def is_in(key: str, doors: list[Door]) -> set[bool]:
    """Whether a cookie opens the apps, in each process; whoever is not in is led to the sign-in page."""
    answers = [door.get("/apps", {"Cookie": f"session={key}"}) for door in doors]
    assert all(each.header("Location").startswith("/sign-in") for each in answers if each.status != 200)
    return {each.status == 200 for each in answers}


@pytest.fixture
def doors(site) -> list[Door]:
    """A door of each process."""
    return site.doors_of_each_process()


@pytest.fixture
def dora(town) -> Account:
    """Somebody new with a password, who owns an app of her own."""
    account = town.person(f"dora{time.monotonic_ns()}@example.com")
    town.rows.execute(delete(AttemptTally))
    return account


def test_web_01_a_replayed_cookie_opens_nothing_after_sign_out_in_any_process(dora, doors):
    browser = sign_in(doors[0], dora)
    assert is_in(browser.key, doors) == {True}
    page = browser.get("/apps/new")
    assert browser.door.post("/sign-out", {"csrf_token": csrf_of(page)}, browser.cookie).status in (302, 303)

    assert is_in(browser.key, doors) == {False}


def test_web_01_a_planted_session_is_not_adopted_and_sign_in_renews_the_key(dora, doors):
    chosen = "chosen-by-somebody-else-and-long-enough-to-be-a-key"
    browser = sign_in(doors[0], dora, planted=chosen)
    assert browser.key != chosen
    assert is_in(chosen, doors) == {False}
    opened = cookie_of(doors[1].get("/sign-in"))
    assert sign_in(doors[0], dora, planted=opened).key != opened
    assert is_in(opened, doors) == {False}


def test_web_01_a_new_password_ends_every_other_session_in_every_process(dora, doors):
    here, there = sign_in(doors[0], dora), sign_in(doors[1], dora)
    token = csrf_of(here.get("/account"))
    values = {"csrf_token": token, "current_password": PASSWORD, "new_password": NEW_PASSWORD}
    changed = here.door.post("/account/password", values, here.cookie)

    assert (changed.status, changed.header("Location")) == (303, "/account"), changed.text
    assert is_in(there.key, doors) == {False}
    assert is_in(here.key, doors) == {False}
    assert is_in(cookie_of(changed), doors) == {True}


@pytest.mark.parametrize("column", ["last_seen_at", "created_at"])
def test_web_02_a_session_ends_half_an_hour_after_its_last_use_and_twelve_hours_after_its_first(
    town, dora, doors, column
):
    longest = 30 * clock.MINUTE if column == "last_seen_at" else 12 * clock.HOUR
    for since, is_there in ((longest - clock.MINUTE, True), (longest + clock.MINUTE, False)):
        browser = sign_in(doors[0], dora)
        row = AccountSession.key_hash == hashed(browser.key)
        town.rows.execute(update(AccountSession).where(row).values({column: clock.now() - since}))
        assert is_in(browser.key, doors[::-1]) == {is_there}


def test_web_02_the_cookie_keeps_to_https_this_host_and_away_from_scripts(town, town_settings, tmp_path):
    away = {"production": "true", "secure_cookies": "true", "proxies": "1"}
    changes = away | {"base_url": "https://ringback.example"}
    with serving(town_settings, tmp_path / "log", **changes) as site:
        for path in ("/sign-in", "/password-reset"):
            name, *flags = site.door().get(path).header("Set-Cookie").split("; ")
            assert name.startswith("__Host-session=")
            assert set(flags) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
        key = town.sign_in(town.shop.owner).key
        # The name without its prefix, which a neighbouring host could set, opens nothing.
        assert site.door().get("/apps", {"Cookie": f"session={key}"}).status == 303
        assert site.door().get("/apps", {"Cookie": f"__Host-session={key}"}).status == 200


# --- A member who is removed (TEN-06) ----------------------------------------------------------------------


@dataclass
class Loop:
    """Opens a page ten times a second through one process, and notes what came when."""

    browser: Browser
    path: str
    seen: list[tuple[float, float, int]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN):
            began = time.monotonic()
            status = self.browser.get(self.path).status
            self.seen.append((began, time.monotonic(), status))

    def end(self) -> None:
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize("way", ["removed", "demoted"])
def test_ten_06_a_member_who_goes_is_out_within_a_second_in_every_process(town, enter, doors, way):
    app_id = town.shop.app.id
    role, path = ("support", "users") if way == "removed" else ("owner", "team")
    member = factories.membership(town.rows, app_id=app_id, role=role)
    account = town.rows.get(Account, member.account_id)
    loops = [Loop(town.sign_in(account, door), f"/apps/{app_id}/{path}") for door in doors]
    time.sleep(1)
    alice = enter(town.shop.owner)
    verb, values = ("removal", {}) if way == "removed" else ("role", {"role": "support"})
    assert alice.post(f"/apps/{app_id}/team/{account.id}/{verb}", values).status == 303
    gone_at = time.monotonic()
    time.sleep(1.5)
    for loop in loops:
        loop.end()
        after = {status for began, _, status in loop.seen if began > gone_at}
        assert 200 in {status for _, _, status in loop.seen}
        # From the very next request on, not only after a second.
        assert after
        assert after <= {303, 403, 404}
