"""Does a person keep their own account: password, sign-ins, and nobody else's? (WEB-01, WEB-09)"""

import re

import pytest
from sqlalchemy import select

from portal.models import Account, AccountSession, App, AuditAction, AuditEntry, random_id
from tests import factories
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


# --- What happened lately --------------------------------------------------------------------------------

ROW = re.compile(r'<tr id="event-\d+".*?</tr>', re.DOTALL)
OLDER = re.compile(r'hx-get="(/account\?before=\d+)"')


def rows(page) -> list[str]:
    """The rows of events, as words."""
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in ROW.findall(page.text)]


def test_one_s_own_events_are_told_newest_first_with_the_browser_in_words(stranger, alice):
    stranger.post("/sign-in", {"email": alice.email, "password": "hunter2"}, headers={"User-Agent": CHROME})
    stranger.post("/sign-in", {"email": alice.email, "password": "hunter2"}, headers={"User-Agent": CHROME})
    stranger.post("/sign-in", {"email": alice.email, "password": PASSWORD}, headers={"User-Agent": CHROME})
    change(stranger)
    assert rows(stranger.get("/account"))[:4] == [
        "Changed the password just now",
        "Signed in by password Chrome on Linux just now",
        "A wrong password was typed Refused 2 times in a row Chrome on Linux just now",
        "Your account was made just now",
    ]


def test_wrong_passwords_in_a_row_are_one_line_with_their_whole_count(alices, alice, session):
    def put(first: int, last: int) -> None:
        for tries in range(first, last + 1):
            told = {"account_id": alice.id, "browser": "curl", "tries": tries}
            entry = {"action": AuditAction.SIGN_IN_FAILED, "details": told, "app_id": None}
            factories.audit_entry(session, **entry)

    put(1, 10)
    newest, *others = rows(alices.get("/account"))
    assert newest == "A wrong password was typed Refused 10 times in a row curl just now"
    assert not any("wrong password" in row for row in others)
    put(11, 203)
    page = alices.get("/account")
    assert rows(page) == ["A wrong password was typed Refused 200 times or more in a row curl just now"]
    assert "Refused 3 times in a row" in rows(alices.get(OLDER.search(page.text)[1]))[0]


def test_the_newest_events_stand_right_after_the_browsers_and_links_lead_to_each_part(alices, alice, session):
    for at in range(7):
        details = {"browser": f"Browser {at}", "by": "passkey"}
        action = AuditAction.SIGNED_IN
        own = {"actor_kind": "account", "actor_id": alice.id, "app_id": None}
        factories.audit_entry(session, **own, action=action, details=details)
    page = alices.get("/account")
    links = re.findall(r'<li><a href="#([\w-]+)">', page.text)

    assert len(rows(page)) == 5
    assert links == ["sign-ins", "events", "second-factors", "password"]
    assert links == [each for each in re.findall(r'<section[^>]* id="([\w-]+)"', page.text) if each in links]
    assert len(rows(alices.get(OLDER.search(page.text)[1]))) >= 2


def test_pii_07_nobody_sees_the_events_of_another_account(alices, alice, charlies, charlie):
    change(alices)
    told = rows(charlies.get("/account"))
    assert not [row for row in told if "password" in row.lower()]
    assert charlies.get(f"/account?account={alice.id}&actor_id={alice.id}").status_code == 200
    assert rows(charlies.get(f"/account?account={alice.id}")) == told


def test_older_events_come_by_a_link_that_works_with_and_without_javascript(alices, alice, session):
    for at in range(45):
        factories.audit_entry(
            session,
            app_id=None,
            actor_kind="account",
            actor_id=alice.id,
            action=AuditAction.SIGNED_IN,
            details={"browser": f"Browser {at:02}", "by": "passkey"},
        )
    pages, address = [], "/account"
    while True:
        page = alices.get(address)
        pages.append(rows(page))
        found = OLDER.search(page.text)
        if found is None:
            break
        address = found[1]
        fragment = alices.fragment(address, "event_rows_1")
        assert fragment.text.strip() in alices.get(address).text
        assert "<h2" not in fragment.text
    assert [len(page) for page in pages[:3]] == [5, 20, 20]
    assert "Browser 44" in pages[0][0]
    assert "Browser 39" in pages[1][0]
    assert len({row for page in pages for row in page if "Browser" in row}) == 45


@pytest.mark.parametrize("before", ["", "x", "-1", "0", "1", "9" * 40, "1;drop"])
def test_no_odd_beginning_breaks_the_page(alices, before):
    answer = alices.get(f"/account?before={before}")
    assert answer.status_code == 200
    assert 'id="events"' in answer.text


def test_an_account_without_events_reads_what_will_appear(alices, session):
    factories.forget_audit_entries(session)
    assert "Nothing is on record yet." in alices.get("/account").text
    assert "There is nothing older." in alices.get("/account?before=1").text


@pytest.mark.parametrize(
    ("action", "details", "says"),
    [
        ("account.signed_out", {"browser": "curl"}, "Signed out curl"),
        ("account.confirmed", {}, "Confirmed that it is you"),
        ("account.sign_ins_ended", {"sign_ins": 1}, "Signed 1 browser out"),
        ("account.sign_ins_ended", {"sign_ins": 1, "everywhere": True}, "Signed out everywhere"),
        ("passkey.added", {"passkey": "<b>Key</b>"}, "Added a passkey &lt;b&gt;Key&lt;/b&gt;"),
        ("passkey.removed", {"passkey": "Key"}, "Removed a passkey Key"),
        ("recovery_code.used", {}, "Used a recovery code"),
        ("authenticator.added", {}, "Added an authenticator app"),
        ("account.password_reset", {}, "Set a new password by a mailed link"),
        ("account.sign_in_failed", {"passkey": True}, "A passkey was refused Refused"),
        ("account.sign_in_failed", {"second_factor": True, "tries": 4}, "A wrong code was typed Refused"),
        ("member.joined", {"role": "support"}, "Joined a team as support Shop"),
        ("member.changed", {"after": {"role": "owner"}}, "Became an owner in a team Shop by somebody else"),
        ("member.removed", {"role": "a-role-of-old"}, "Taken off a team Shop by somebody else"),
        ("member.joined", {"role": ["odd"]}, "Joined a team as a member Shop"),
    ],
)
def test_each_kind_of_event_has_its_words(alices, alice, shop, session, action, details, says):
    is_of_team = action.startswith("member.")
    factories.audit_entry(
        session,
        app_id=shop.id if is_of_team else None,
        actor_kind="account",
        actor_id="somebody else" if is_of_team else alice.id,
        action=action,
        details=details | {"account_id": alice.id},
    )
    row = rows(alices.get("/account"))[0]
    assert row.startswith(says.replace("Shop", session.get_one(App, shop.id).name))
