"""Does a forgotten password come back by mail, and does nobody learn who has an account? (ENU-05, WEB-07)"""

import re

import pytest
from sqlalchemy import select

from portal.models import Account, PasswordReset
from tests.cast import Person
from tests.web.test_second_factors import set_up_app

LINK = re.compile(r"http://127\.0\.0\.1:8080(/password-reset/\S+)")
NEW = "tea garden 42 umbrella"
UNUSABLE = "This link cannot be used."


def asked(browser, email: str):
    answer = browser.post("/password-reset", {"email": email})
    # As a server does once an answer is written; the mail is handed over behind it.
    answer.close()
    return answer


def link_for(browser, mails, email: str) -> str:
    """The link that was mailed."""
    asked(browser, email)
    return LINK.findall(mails.getvalue())[-1]


def test_a_new_password_is_set_by_a_link_and_then_typed(stranger, alice, alices, mails):
    alices.get("/apps")
    assert 'href="/password-reset"' in stranger.get("/sign-in").text
    link = link_for(stranger, mails, alice.email)
    assert 'autocomplete="new-password"' in stranger.get(link).text
    assert stranger.post(link, {"new_password": NEW}).location == "/sign-in"
    assert "Your new password is set." in stranger.get("/sign-in").text

    assert stranger.get("/apps").status_code == 303
    assert alices.get("/apps").status_code == 303
    assert stranger.sign_in(Person(alice.id, alice.email, NEW)).location == "/apps"


def test_enu_05_addresses_with_and_without_an_account_get_the_same_answer(stranger, alice, mails):
    texts = {
        re.sub(r"<wbr>|value=\"[^\"]*\"", "", asked(stranger, f"{name}@example.com").text).replace(name, "")
        for name in ("alice", "nobody")
    }

    assert len(texts) == 1
    assert mails.getvalue().count("Mail to") == 1


def test_web_09_the_fourth_link_of_an_hour_is_not_sent_and_nobody_is_told(stranger, alice, mails):
    answers = {re.sub(r'value="[^"]*"', "", asked(stranger, alice.email).text) for _ in range(5)}

    assert len(answers) == 1
    assert mails.getvalue().count("Mail to") == 3


@pytest.mark.parametrize(
    "email", ["", "alice", "alice@example.com\nBcc: x@example.com", "a" * 300 + "@example.com", "\0@b.c"]
)
def test_what_is_no_address_is_refused(stranger, mails, email):
    answer = asked(stranger, email)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert mails.getvalue() == ""


@pytest.mark.parametrize("password", ["", "short", "passwordpassword", "xK9#mPq2$vL5"])
def test_web_09_a_weak_password_is_refused_and_the_link_stays_good(stranger, alice, mails, session, password):
    link = link_for(stranger, mails, alice.email)
    assert stranger.post(link, {"new_password": password}).status_code == 422
    assert len(session.scalars(select(PasswordReset)).all()) == 1

    assert stranger.post(link, {"new_password": NEW}).location == "/sign-in"


def test_used_old_and_made_up_links_read_alike(stranger, alice, mails, clock):
    used = link_for(stranger, mails, alice.email)
    stranger.post(used, {"new_password": NEW})
    old = link_for(stranger, mails, alice.email)
    clock.advance(30 * 60)
    for link in (used, old, "/password-reset/" + "x" * 43):
        for answer in (stranger.get(link), stranger.post(link, {"new_password": NEW})):
            assert answer.status_code == 404
            assert UNUSABLE in answer.text


def test_web_09_a_link_does_not_stand_in_for_the_second_factor(stranger, alices, alice, mails, clock):
    set_up_app(alices)
    stranger.post(link_for(stranger, mails, alice.email), {"new_password": NEW})
    answer = stranger.sign_in(Person(alice.id, alice.email, NEW))

    assert answer.location == "/sign-in/second-factor"
    assert stranger.get("/apps").status_code == 303


def test_web_07_the_link_begins_with_the_configured_address_whatever_host_is_named(stranger, alice, mails):
    form = {"csrf_token": stranger.token(), "email": alice.email}
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    stranger.client.post("/password-reset", data=form, headers=headers)

    assert "evil" not in mails.getvalue()


def test_ops_06_without_mail_the_page_says_whom_to_ask(stranger, alice, app, session):
    app.extensions["ringback"].mailer._out = None

    assert "Its operator can set a new password" in stranger.get("/password-reset").text
    assert asked(stranger, alice.email).status_code == 409
    assert session.scalars(select(PasswordReset)).all() == []


def test_a_locked_out_address_is_let_in_by_a_new_password(stranger, alice, mails, session):
    for _ in range(11):
        stranger.post("/sign-in", {"email": alice.email, "password": "wrong"})
    stranger.post(link_for(stranger, mails, alice.email), {"new_password": NEW})

    assert stranger.sign_in(Person(alice.id, alice.email, NEW)).location == "/apps"
    assert session.get(Account, alice.id).active
