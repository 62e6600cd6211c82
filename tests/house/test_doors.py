"""Is there a guard at every door?"""

import re

import pytest

from portal.api.operations import OPERATIONS, Who
from portal.core.roles import Action
from tests.web.conftest import Browser

# What a signed-out browser may open, and why. Everything else asks it to sign in.
PUBLIC_PAGES = {
    "apps.start": "only leads on to the list of apps",
    "security.login": "somebody has to be able to sign in",
    "second_steps.show": "the second step of signing in; without the first it leads back there",
    "second_steps.check": "the same, sent",
    "second_steps.by_passkey": "signing in without a password",
    "password_resets.ask": "whoever forgot their password cannot sign in",
    "password_resets.send": "the same, sent",
    "password_resets.show": "the mailed link itself is the key",
    "password_resets.use": "the same link, used",
    "invites.show": "whoever is invited may have no account yet; the link itself is the key",
    "invites.accept": "the same link, used",
    "security_contacts.show": "whoever found a weakness has no account",
    "themes.choose": "the sign-in page is light or dark too",
    "static": "our own styles and scripts",
    "bootstrap.static": "Bootstrap's, out of its installed package",
    "vendor.static": "htmx's, out of its installed package",
    "security.static": "Flask-Security's",
    "receipts.take": "carriers come without an account: an address made by us, and their own signature",
}
# Flask-Security's own pages are guarded by Flask-Security; the last test here knocks at them too.
GUARDED_ELSEWHERE = {"security.logout", "security.verify"}
PUBLIC_CALLS = {
    "tokens": "logging in is how credentials are got",
    "openapi": "the description of the API itself",
}


def test_ten_05_every_page_has_a_guard(looked_at):
    unguarded = {
        rule.endpoint
        for rule in looked_at.url_map.iter_rules()
        if not rule.rule.startswith("/api") and not _guard(looked_at, rule.endpoint)
    }

    assert unguarded - GUARDED_ELSEWHERE == set(PUBLIC_PAGES)


def test_ten_05_every_page_of_an_app_asks_for_an_action(looked_at):
    lax = {
        rule.rule
        for rule in looked_at.url_map.iter_rules()
        if "app_id" in rule.arguments and not rule.rule.startswith("/api")
        if not isinstance(_guard(looked_at, rule.endpoint), Action)
    }

    assert lax == set()


def test_every_action_guards_some_page(looked_at):
    used = {_guard(looked_at, endpoint) for endpoint in looked_at.view_functions}

    assert set(Action) - used == set()


def test_every_call_says_who_may_make_it(looked_at):
    calls = {rule.endpoint for rule in looked_at.url_map.iter_rules() if rule.rule.startswith("/api/")}

    assert calls - set(OPERATIONS) == {"api.nowhere"}


def test_only_a_short_list_of_calls_takes_anybody(looked_at):
    public = {
        name.removeprefix("api.").partition("_")[0]
        for name, it in OPERATIONS.items()
        if it.who is Who.ANYBODY
    }

    assert public <= set(PUBLIC_CALLS)


def test_ten_05_every_page_but_the_public_ones_asks_a_signed_out_browser_to_sign_in(client):
    for rule in client.application.url_map.iter_rules():
        if rule.rule.startswith("/api") or rule.endpoint in PUBLIC_PAGES or "GET" not in rule.methods:
            continue
        answer = client.get(re.sub(r"<[^>]+>", "x", re.sub(r"<int:[^>]+>", "1", rule.rule)))
        assert (answer.status_code, answer.headers.get("Location", "")[:8]) == (303, "/sign-in"), rule.rule


@pytest.mark.parametrize(
    "odd", ["%00", "%FF%FE", "%0A", "x" * 2000, "%F0%9F%98%80", "..%2F..", "%3Cscript%3E", "-1"]
)
def test_no_address_breaks_a_page_however_odd_its_parts(app, shop, alice, odd):
    browser = Browser(app.test_client())
    browser.sign_in(alice)

    for rule in app.url_map.iter_rules():
        if rule.arguments and not rule.rule.startswith("/api") and "GET" in rule.methods:
            # Once with only the last part odd, once with all of them.
            for rest in (shop.id, odd):
                path = re.sub(r"<[^>]+>$", odd, re.sub(r"<(\w+:)?app_id>", rest, rule.rule))
                assert browser.get(re.sub(r"<[^>]+>", odd, path)).status_code < 500, path


def _guard(app, endpoint):
    return getattr(app.view_functions[endpoint], "guard", None)
