"""How does an operator handle apps?"""

import json

from sqlalchemy import select

from portal.models import App, AuditEntry, Membership


def test_it_creates_an_app_and_prints_its_four_keys_once(operator, session):
    answer = operator.types("apps", "create", "Coffee Club", "--country", "jp", "--json")
    assert answer.exit_code == 0
    keys = json.loads(answer.stdout)
    assert list(keys) == ["appID", "appKey", "clientID", "clientSecret"]
    app = session.get(App, keys["appID"])
    assert (app.name, app.home_country, app.mode) == ("Coffee Club", "JP", "sandbox")
    assert (app.key, app.client_id) == (keys["appKey"], keys["clientID"])
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
