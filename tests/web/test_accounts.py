"""Does a person keep their own account: password, sign-ins, and nobody else's? (WEB-01, WEB-09)"""

import re

import pytest
from sqlalchemy import select

from portal.models import Account, AccountSession, AuditAction, AuditEntry, random_id
from tests.cast import PASSWORD, Person

NEW = "tea garden 42 umbrella"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
END = re.compile(r'action="(/account/sign-ins/[0-9a-f]+/removal)"')


def change(browser, current=PASSWORD, new=NEW):
    return browser.post("/account/password", {"current_password": current, "new_password": new})


def test_the_password_is_changed_and_put_on_record(alices, alice, stranger, session):
    before = session.get(Account, alice.id).fs_uniquifier
    answer = change(alices)

    assert answer.location == "/account"
    assert "Changed your password." in alices.get("/account").text
    assert session.get(Account, alice.id).fs_uniquifier != before
    assert stranger.sign_in(alice).status_code == 422
    assert stranger.sign_in(Person(alice.id, alice.email, NEW)).location == "/apps"
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.action == AuditAction.ACCOUNT_PASSWORD_CHANGED)
    ).one()
    assert (entry.actor_id, entry.app_id, entry.details) == (alice.id, None, {})


def test_web_01_other_sessions_end_and_this_one_goes_on_under_a_new_key(
    alices, alice, signed_in, app, session
):
    others, before = signed_in(alice), alices.cookie()
    assert others.get("/apps").status_code == 200
    change(alices)

    assert others.get("/apps").status_code == 303
    assert alices.get("/apps").status_code == 200
    assert alices.cookie() != before
    assert (
        len(session.scalars(select(AccountSession).where(AccountSession.account_id == alice.id)).all()) == 1
    )


@pytest.mark.parametrize(
    "new", ["", "short", "xK9#mPq2$vL5", "passwordpassword", "alice@example.com", "y9" * 101]
)
def test_web_09_a_weak_password_is_refused_and_the_right_current_one_stays(alices, alice, session, new):
    before = session.get(Account, alice.id).password
    answer = change(alices, new=new)

    assert answer.status_code == 422
    assert f'value="{PASSWORD}"' in answer.text
    assert not new or f'value="{new}"' not in answer.text.partition('id="new_password"')[2]
    assert session.get(Account, alice.id).password == before


def test_a_wrong_current_password_is_refused_and_not_repeated(alices, alice, session):
    before = session.get(Account, alice.id).password
    answer = change(alices, current="not this one")

    assert answer.status_code == 422
    assert "This is not your current password." in answer.text
    assert "not this one" not in answer.text
    assert session.get(Account, alice.id).password == before


def test_web_09_wrong_current_passwords_are_throttled(alices):
    for _ in range(10):
        change(alices, current="wrong")
    answer = change(alices)

    assert answer.status_code == 429
    assert "You can try again in 15 minutes" in answer.text


def test_the_list_says_which_browser_and_marks_this_one(stranger, alice, alices):
    stranger.client.environ_base["HTTP_USER_AGENT"] = CHROME
    stranger.sign_in(alice)
    page = stranger.get("/account").text

    assert page.count("This one") == 1
    assert "Chrome on Linux <span" in page
    assert len(END.findall(page)) == 2
    assert CHROME not in page


def test_one_browser_is_signed_out(alices, alice, signed_in, session):
    others = signed_in(alice)
    others.get("/account")
    mine = END.findall(alices.get("/account").text)
    theirs = next(
        path
        for path in mine
        if session.scalars(select(AccountSession.id).where(AccountSession.id == path.split("/")[3])).one()
        != this_of(alices)
    )
    assert alices.post(theirs).location == "/account"

    assert others.get("/apps").status_code == 303
    assert alices.get("/apps").status_code == 200
    assert "signed out meanwhile" in alices.get(alices.post(theirs).location).text


def this_of(browser) -> str:
    """The id of the browser's own session, as its page marks it."""
    rows = browser.get("/account").text.split("<tr")
    return next(END.search(row)[1] for row in rows if "This one" in row).split("/")[3]


def test_web_01_signed_out_everywhere_is_signed_out_here_too(alices, alice, signed_in, session):
    others, cookie = signed_in(alice), alices.cookie()
    assert alices.post("/account/sign-ins/removal").location == "/sign-in"
    alices.client.set_cookie("session", cookie)

    assert others.get("/apps").status_code == 303
    assert alices.get("/apps").status_code == 303
    assert session.scalars(select(AccountSession).where(AccountSession.account_id == alice.id)).all() == []


def test_ten_02_somebody_elses_session_and_none_read_alike(alices, bobs, bob, session):
    bobs.get("/account")
    bobs_own = session.scalars(select(AccountSession.id).where(AccountSession.account_id == bob.id)).one()
    for sign_in_id in (bobs_own, random_id()):
        alices.post(f"/account/sign-ins/{sign_in_id}/removal")
        assert "signed out meanwhile" in alices.get("/account").text
    assert bobs.get("/apps").status_code == 200


def test_web_06_a_user_agent_is_never_shown_as_it_came(stranger, alice):
    stranger.client.environ_base["HTTP_USER_AGENT"] = '"><script>alert(1)</script>' + "x" * 5_000
    stranger.sign_in(alice)

    assert "alert(1)" not in stranger.get("/account").text


def test_the_rail_leads_to_the_account(alices):
    assert 'href="/account"' in alices.get("/apps").text
