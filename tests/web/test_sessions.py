"""Does a session begin at sign-in, end at sign-out, and belong to nobody else? (WEB-01, WEB-02, WEB-08)"""

import hashlib

import pytest
from sqlalchemy import select

from portal.models import Account, AccountSession

FOREIGN_TARGETS = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "javascript:alert(1)",
    "@evil.example",
    "evil.example.",
    "/apps\r\nLocation: https://evil.example",
    "///evil.example",
    "/api/openapi.json",
    "/no-such-page",
    "http:///evil.example",
]


def rows(session) -> list[AccountSession]:
    return list(session.scalars(select(AccountSession)))


def test_the_right_password_opens_the_apps(stranger, alice):
    answer = stranger.sign_in(alice)

    assert (answer.status_code, answer.location) == (302, "/apps")
    assert stranger.get("/apps").status_code == 200


@pytest.mark.parametrize(
    "email", ["alice@example.com", "nobody@example.com", "no address", "a\0b@example.com"]
)
def test_enu_01_every_wrong_sign_in_reads_the_same(stranger, alice, email):
    answer = stranger.post("/sign-in", {"email": email, "password": "wrong"})

    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong." in answer.text
    assert "data-focus" in answer.text


def test_a_disabled_account_cannot_sign_in(stranger, alice, session):
    session.get(Account, alice.id).active = False
    session.flush()

    assert stranger.sign_in(alice).status_code == 422


def test_web_01_the_row_holds_only_a_hash_of_the_cookie(alices, alice, session):
    key_hash = hashlib.sha256(alices.cookie().encode()).hexdigest()

    assert [(row.key_hash, row.account_id) for row in rows(session) if row.account_id] == [
        (key_hash, alice.id)
    ]
    assert len(alices.cookie()) >= 43


def test_web_01_sign_in_renews_the_key_and_the_token(stranger, alice, session):
    before = stranger.token()
    planted = stranger.cookie()
    stranger.sign_in(alice)

    assert stranger.cookie() != planted
    assert stranger.post("/apps", {"csrf_token": before}).status_code == 400
    assert len(rows(session)) == 1


def test_web_01_a_chosen_session_key_is_not_adopted(stranger, alice):
    stranger.client.set_cookie("session", "chosen-by-somebody-else")
    stranger.sign_in(alice)

    assert stranger.cookie() != "chosen-by-somebody-else"


def test_web_01_a_replayed_cookie_opens_nothing_after_sign_out(alices, stranger):
    cookie = alices.cookie()
    assert alices.post("/sign-out").location == "/sign-in"
    stranger.client.set_cookie("session", cookie)

    assert stranger.get("/apps").status_code == 303


def test_web_01_no_remember_cookie_outlives_the_session(stranger, alice):
    stranger.post("/sign-in", {"email": alice.email, "password": alice.password, "remember": "y"})

    assert stranger.client.get_cookie("remember_token") is None


def test_sign_out_is_no_link(alices):
    assert alices.get("/sign-out").status_code == 405
    assert alices.get("/apps").status_code == 200


def test_web_02_a_session_ends_after_half_an_hour_without_a_visit(clock, alices):
    clock.advance(29 * 60)
    assert alices.get("/apps").status_code == 200
    clock.advance(31 * 60)

    assert alices.get("/apps").status_code == 303


def test_web_02_a_session_ends_after_twelve_hours_of_visits(clock, alices):
    for _ in range(36):
        clock.advance(20 * 60)
        last = alices.get("/apps")

    assert last.status_code == 303


def test_web_02_the_cookie_is_hidden_from_scripts_and_other_sites(stranger):
    cookie = stranger.get("/sign-in").headers["Set-Cookie"]

    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_a_visit_is_written_down_once_a_minute_only(clock, alices, session):
    def seen() -> int:
        return next(row.last_seen_at for row in rows(session) if row.account_id)

    alices.get("/apps")
    first = seen()
    clock.advance(30)
    alices.get("/apps")
    assert seen() == first
    clock.advance(31)
    alices.get("/apps")

    assert seen() == clock.now()


def test_a_page_without_a_form_leaves_no_row_behind(stranger, session):
    stranger.get("/")
    stranger.get("/apps")
    stranger.get("/no-such-page")

    assert rows(session) == []


@pytest.mark.parametrize("target", FOREIGN_TARGETS)
def test_web_08_sign_in_never_leads_to_a_foreign_target(stranger, alice, target):
    answer = stranger.sign_in(alice, target)

    assert answer.location in ("/sign-in", "/apps")
    assert stranger.get("/sign-in", query_string={"next": target}).location == "/sign-in"


def test_web_08_sign_in_leads_back_to_an_own_page(stranger, shop, alice):
    assert (
        stranger.sign_in(alice, f"/apps/{shop.id}/users?q=5678").location == f"/apps/{shop.id}/users?q=5678"
    )


def test_web_08_the_theme_leads_back_to_own_pages_only(stranger):
    assert stranger.post("/theme", {"theme": "dark", "back": "//evil.example"}).location == "/apps"
    assert stranger.post("/theme", {"theme": "dark", "back": "/sign-in"}).location == "/sign-in"
    assert 'data-bs-theme="dark"' in stranger.get("/sign-in").text


def test_a_theme_that_does_not_exist_is_not_kept(stranger):
    stranger.post("/theme", {"theme": '"><script>'})

    assert stranger.client.get_cookie("theme") is None


def test_what_flask_security_brings_besides_is_not_there(alices):
    assert alices.get("/verify").status_code == 404
    assert alices.get("/register").status_code == 404


def test_web_01_no_token_in_a_header_or_an_address_opens_anything(app, stranger, alice, session):
    with app.test_request_context():
        token = session.get(Account, alice.id).get_auth_token()

    assert stranger.get("/apps", headers={"Authentication-Token": token}).status_code == 303
    assert stranger.get("/apps", query_string={"auth_token": token}).status_code == 303
