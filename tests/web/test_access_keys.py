"""Can an owner replace a key on the pages without breaking what runs? (TEN-07)"""

import re

import pytest

from portal.core.roles import Role
from portal.models import KeyKind
from portal.services import access_keys
from tests import factories
from tests.drivers import KiiClient

SECRET = re.compile(r'id="client-secret">([^<]+)<')


@pytest.fixture
def page(shop) -> str:
    """The address of the shop's keys."""
    return f"/apps/{shop.id}/access-keys"


@pytest.fixture
def kii(app, shop) -> KiiClient:
    """The shop's own server, and its client."""
    return KiiClient(app.test_client(), shop.id, shop.client_id, shop.client_secret)


def live(session, shop, kind: KeyKind) -> list[access_keys.Key]:
    session.expire_all()
    return [key for key in access_keys.live(session, shop.id) if key.kind is kind]


def ask_for_admin_token(kii: KiiClient, secret: str):
    return kii.call("POST", "/oauth2/token", {"client_id": kii.client_id, "client_secret": secret})


def ask_by(kii: KiiClient, app_key: str):
    headers = {"X-Kii-AppID": kii.app_id, "X-Kii-AppKey": app_key}
    return kii.ask("POST", "/users", {"loginName": "dora", "password": "pass1234"}, headers=headers)


def test_ten_07_alice_rotates_the_secret_while_her_server_runs(alices, kii, page, shop, session, clock):
    old = ask_for_admin_token(kii, shop.client_secret).json["access_token"]
    bearer = {"Authorization": f"Bearer {old}"}
    new = SECRET.search(alices.post(f"{page}/client-secrets").text)[1]
    assert ask_for_admin_token(kii, new).status_code == 200
    assert ask_for_admin_token(kii, shop.client_secret).status_code == 200

    key = next(
        each for each in live(session, shop, KeyKind.CLIENT_SECRET) if each.last4 == shop.client_secret[-4:]
    )
    asked = alices.get(f"{page}/{key.id}/ending").text
    assert "every admin token that was got with it ends at once" in asked
    assert "It was last used today (UTC)." in asked
    assert alices.post(f"{page}/{key.id}/ending").location == page

    assert ask_for_admin_token(kii, shop.client_secret).status_code == 400
    assert kii.ask("GET", "/configuration/parameters", headers=bearer).status_code == 403
    assert ask_for_admin_token(kii, new).status_code == 200
    assert new not in alices.get(page).text


def test_ten_07_alice_retires_the_builds_that_send_an_old_app_key(alices, kii, page, shop, session):
    assert ask_by(kii, shop.key).status_code == 201
    assert alices.post(f"{page}/app-keys").location == page
    newest, oldest = live(session, shop, KeyKind.APP_KEY)
    if newest.value == shop.key:
        newest, oldest = oldest, newest
    assert newest.value in alices.get(page).text
    alices.post(f"{page}/{oldest.id}/ending")

    refused = ask_by(kii, shop.key)
    assert (refused.status_code, refused.json["errorCode"]) == (401, "UNAUTHORIZED")
    assert shop.key not in refused.text
    basic = kii.ask("POST", "/oauth2/token", {"client_id": kii.app_id, "client_secret": shop.key})
    assert basic.status_code in (400, 401)
    # This one gets in, and finds that the name is taken.
    assert ask_by(kii, newest.value).status_code == 409


def test_ten_07_the_page_tells_who_made_a_key_and_when_it_was_used(alices, kii, page, shop, alice):
    assert "No use noted yet." in alices.get(page).text
    ask_by(kii, shop.key)
    ask_for_admin_token(kii, shop.client_secret)
    told = alices.get(page).text
    assert told.count("Last used today (UTC).") == 2
    alices.post(f"{page}/client-secrets")
    told = re.sub(r"<[^>]+>", "", alices.get(page).text)
    assert f"by {alice.email}." in told
    assert "Both work." in told


def test_ten_07_a_use_is_written_once_a_day(kii, shop, session, clock, app):
    # An hour before midnight the next hour would be another day.
    clock.advance(86_400 - clock.now() // 1000 % 86_400)
    ask_by(kii, shop.key)
    with_use = live(session, shop, KeyKind.APP_KEY)
    clock.advance(3600)
    ask_by(kii, shop.key)
    assert live(session, shop, KeyKind.APP_KEY) == with_use


@pytest.mark.parametrize("path", ["app-keys", "client-secrets"])
def test_ten_07_a_third_key_is_refused_with_what_to_do(alices, page, path):
    alices.post(f"{page}/{path}")
    refused = alices.post(f"{page}/{path}")
    assert refused.status_code == 422
    assert "End the old one first." in refused.text


def test_ten_07_the_only_key_is_not_ended(alices, page, shop, session):
    key = live(session, shop, KeyKind.CLIENT_SECRET)[0]
    assert "Add a new one first" in alices.get(f"{page}/{key.id}/ending").text
    assert alices.post(f"{page}/{key.id}/ending").status_code == 422
    assert live(session, shop, KeyKind.CLIENT_SECRET) == [key]


def test_ten_02_another_owner_finds_no_key_of_this_app(alices, charlies, page, shop, charlie, session):
    own = factories.membership(session, account_id=charlie.id, role=Role.OWNER).app_id
    key = live(session, shop, KeyKind.CLIENT_SECRET)[0]
    alices.post(f"{page}/client-secrets")
    assert charlies.post(f"/apps/{own}/access-keys/{key.id}/ending").status_code == 404
    assert len(live(session, shop, KeyKind.CLIENT_SECRET)) == 2
