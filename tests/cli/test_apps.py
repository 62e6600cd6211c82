"""How does an operator handle apps?"""

import json

from sqlalchemy import select

from portal.models import App, AuditEntry, Membership
from portal.services import access_keys


def test_it_creates_an_app_and_prints_its_four_keys_once(operator, session):
    answer = operator.types("apps", "create", "Coffee Club", "--country", "jp", "--json")
    assert answer.exit_code == 0
    keys = json.loads(answer.stdout)
    assert list(keys) == ["appID", "appKey", "clientID", "clientSecret"]
    app = session.get(App, keys["appID"])
    assert (app.name, app.home_country, app.mode) == ("Coffee Club", "JP", "sandbox")
    assert app.client_id == keys["clientID"]
    assert keys["appKey"] in [key.value for key in access_keys.live(session, app.id)]
    assert keys["clientSecret"] not in operator.types("apps", "list", "--json").stdout


def test_for_people_it_prints_the_keys_in_lines(operator):
    lines = operator.types("apps", "create", "Coffee Club", "--country", "JP").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["appID", "appKey", "clientID", "clientSecret"]


def test_an_owner_gets_the_app_in_the_portal(operator, session, alice):
    operator.types("apps", "create", "Coffee Club", "--country", "JP", "--owner", alice.email)
    membership = session.scalars(select(Membership)).one()
    assert (membership.account_id, membership.role) == (alice.id, "owner")


def test_an_owner_that_has_no_account_is_refused_and_no_app_is_made(operator, session):
    answer = operator.types(
        "apps", "create", "Coffee Club", "--country", "JP", "--owner", "nobody@example.com"
    )
    assert answer.exit_code == 1
    assert (
        answer.stderr
        == "Error: There is no account nobody@example.com. Run: portal accounts create nobody@example.com\n"
    )
    assert session.scalars(select(App)).all() == []


def test_a_bad_name_or_country_is_refused_in_one_line(operator):
    for name, country in (("visit evil.example now", "JP"), ("Coffee Club", "XX")):
        answer = operator.types("apps", "create", name, "--country", country)
        assert (answer.exit_code, answer.stdout, answer.stderr.count("\n")) == (1, "", 1)


def test_it_switches_verification_on_and_says_who_did(operator, session, shop):
    answer = operator.types("apps", "set", shop.id, "phoneNumberVerificationRequired", "false")
    assert (answer.exit_code, answer.stdout) == (0, "phoneNumberVerificationRequired is false.\n")
    assert session.get(App, shop.id).phone_number_verification_required is False
    newest = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (newest.actor_kind, newest.action) == ("operator", "app.changed")


def test_unknown_apps_parameters_and_values_are_refused(operator, shop):
    for words in (
        ["0" * 16, "phoneNumberVerificationRequired", "true"],
        [shop.id, "flux", "true"],
        [shop.id, "phoneNumberVerificationRequired", "maybe"],
    ):
        answer = operator.types("apps", "set", *words)
        assert (answer.exit_code, answer.stderr.count("\n")) == (1, 1)


def test_the_list_names_every_app(operator, shop):
    [line] = operator.types("apps", "list").stdout.splitlines()
    assert line.split() == [shop.id, "JP", "sandbox", "on", "Shop"]
    [app] = json.loads(operator.types("apps", "list", "--json").stdout)
    assert app["phoneNumberVerificationRequired"] is True


def test_ten_07_it_replaces_a_secret_step_by_step(operator, shop):
    secret = operator.types("apps", "keys", "add", shop.id, "client-secret").stdout.strip()
    assert secret.startswith("rb_sec_")
    told = json.loads(operator.types("apps", "keys", "list", shop.id, "--json").stdout)
    secrets = {each["last4"]: each for each in told if each["kind"] == "client-secret"}
    assert set(secrets) == {secret[-4:], shop.client_secret[-4:]}
    old = secrets[shop.client_secret[-4:]]
    assert (old["createdBy"], old["lastUsedOn"]) == (None, None)
    listed = operator.types("apps", "keys", "list", shop.id).stdout
    assert secret not in listed
    assert listed.count("no use noted") == 3

    third = operator.types("apps", "keys", "add", shop.id, "client-secret")
    assert (third.exit_code, third.stdout) == (1, "")
    ended = operator.types("apps", "keys", "end", shop.id, old["id"])
    assert (ended.exit_code, ended.stdout.strip()) == (
        0,
        f"Ended the ClientSecret that ends in {old['last4']}.",
    )
    only = operator.types("apps", "keys", "end", shop.id, secrets[secret[-4:]]["id"])
    assert only.exit_code == 1
    assert "Add a new one first" in only.stderr


def test_ten_07_it_refuses_keys_of_an_app_that_is_not_there(operator):
    for words in (["list", "nowhere"], ["add", "nowhere", "app-key"], ["end", "nowhere", "x"]):
        answer = operator.types("apps", "keys", *words)
        assert (answer.exit_code, answer.stdout) == (1, "")
