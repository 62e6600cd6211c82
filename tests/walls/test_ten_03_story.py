"""Does all work behind the fences, for a role that owns nothing, and leave the neighbour alone? (TEN-03)"""

import re
import time

import pytest

from portal.core.roles import Role
from tests import factories
from tests.walls.town import Browser, Town, bearer, key_of_headers

REGISTRATION = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"
MODIFICATION = "application/vnd.kii.PhoneNumberModificationRequest+json"
VERIFICATION = "application/vnd.kii.AddressVerificationRequest+json"
# What the owner opens after the story, below the app's own address.
PAGES = (
    "",
    "/users",
    "/users?q={last_four}",
    "/users?q={middle}",
    "/users/{user}",
    "/messages",
    "/inbox",
    "/sms-templates",
    "/sms-templates/en/test",
    "/sms-settings",
    "/provider",
    "/access-keys",
    "/team",
    "/audit",
)


@pytest.fixture(scope="module")
def site_changes() -> dict[str, str]:
    """This server sends too."""
    return {"limits": "bench", "worker": "true"}


@pytest.fixture
def owner(town, enter) -> Browser:
    return enter(town.shop.owner)


def code_in_inbox(owner: Browser, app_id: str, number: str, before: str = "") -> str:
    """The code that the simulated phone shows for a number, once the worker has sent it."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        page = owner.get(f"/apps/{app_id}/inbox").text
        for message in re.findall(r'<li id="message-.*?</li>', page, flags=re.DOTALL):
            code = re.search(r'class="bubble".*?>[^<]*?\b(\d{6})\b', message, flags=re.DOTALL)
            if number[-4:] in message and code and code[1] != before:
                return code[1]
        time.sleep(0.1)
    raise AssertionError("no SMS came")


def test_ten_03_a_user_signs_up_verifies_and_changes_numbers_and_support_sees_it(town: Town, enter, owner):
    shop, door = town.shop.app.id, enter().door
    first, second = factories.phone_number(), factories.phone_number()
    neighbour = town.digest(town.inn.app.id)
    sent = {"loginName": "dora", "phoneNumber": first, "password": "pass1234"}
    here = {"Content-Type": REGISTRATION} | key_of_headers(shop)
    made = door.call("POST", f"/api/apps/{shop}/users", sent, here)
    assert made.status == 201, made.text
    token, user = bearer(made.json["_accessToken"]), made.json["userID"]
    own = f"/api/apps/{shop}/users/me/phone-number"

    code = code_in_inbox(owner, shop, first)
    wrong = {"verificationCode": f"{(int(code) + 1) % 1_000_000:06}"}
    assert door.call("POST", f"{own}/verify", wrong, token | {"Content-Type": VERIFICATION}).status == 403
    right = {"verificationCode": code}
    assert door.call("POST", f"{own}/verify", right, token | {"Content-Type": VERIFICATION}).status == 200
    changed = door.call("PUT", own, {"phoneNumber": second}, token | {"Content-Type": MODIFICATION})
    assert changed.status == 204, changed.text
    right = {"verificationCode": code_in_inbox(owner, shop, second, code)}
    assert door.call("POST", f"{own}/verify", right, token | {"Content-Type": VERIFICATION}).status == 200
    told = door.call("GET", f"/api/apps/{shop}/users/me", None, token).json
    assert (told["phoneNumber"], told["phoneNumberVerified"]) == (second, True)

    words = {"user": user, "last_four": second[-4:], "middle": second[4:10]}
    for page in PAGES:
        answer = owner.get(f"/apps/{shop}{page.format(**words)}")
        assert answer.status == 200, (page, answer.text)
    assert user in owner.get(f"/apps/{shop}/users?q={words['last_four']}").text
    assert owner.get(f"/apps/{town.inn.app.id}/users").status == 404
    assert town.digest(town.inn.app.id) == neighbour


def test_ten_03_a_list_of_apps_goes_over_all_of_an_account_and_a_page_over_one(town, enter):
    factories.membership(
        town.rows, app_id=town.inn.app.id, account_id=town.shop.support.id, role=Role.SUPPORT
    )
    bob = enter(town.shop.support)
    listed = bob.get("/apps").text

    assert town.shop.app.id in listed
    assert town.inn.app.id in listed
    for mine, others in ((town.shop, town.inn), (town.inn, town.shop)):
        page = bob.get(f"/apps/{mine.app.id}/users").text
        assert mine.user.id in page
        assert others.user.id not in page


def test_ten_03_a_form_that_is_refused_comes_back_with_the_names_of_ones_other_apps(town, enter):
    eve = town.person("eve@example.com")
    for tenant in (town.shop, town.inn):
        factories.membership(town.rows, app_id=tenant.app.id, account_id=eve.id, role=Role.OWNER)
    hers = enter(eve)
    reveal = f"/apps/{town.shop.app.id}/users/{town.shop.user.id}/reveal"

    assert [hers.post(reveal, {"reason": each}).status for each in ("", "Ticket 4711 asks")] == [422, 200]
    settings = hers.post(f"/apps/{town.shop.app.id}/sms-settings", {"most_segments": "99"})
    assert settings.status == 422
    assert f"/apps/{town.inn.app.id}" in settings.text


def test_ten_03_an_app_that_calls_itself_all_apps_is_none(town, enter):
    door = enter().door
    for path in ("/api/oauth2/token", "/api/apps/*/oauth2/token"):
        answer = door.call("POST", path, {"username": "x", "password": "y"}, key_of_headers("*"))
        assert (answer.status, answer.json["errorCode"]) == (404, "APP_NOT_FOUND")

    answers = [
        door.call("GET", f"/api/apps/{name}/users/{town.inn.user.id}", None, bearer(town.inn.admin_token))
        for name in ("*", "x")
    ]
    assert [each.status for each in answers] == [404, 404]
