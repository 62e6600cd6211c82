"""Does the team page let owners work and nobody else, and count at once? (TEN-05, TEN-06, TEN-08)"""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.roles import Role
from portal.models import Account, AccountSession, Invite, Membership, random_id
from portal.services import accounts
from tests.cast import PASSWORD, Person
from tests.web.conftest import Browser

LINK = re.compile(r"http://127\.0\.0\.1:8080(/invites/\S+)")
NEW_PASSWORD = "tea garden 42 umbrella"
UNUSABLE = "This invite cannot be used."


@pytest.fixture
def team(shop) -> str:
    """The address of the shop's team."""
    return f"/apps/{shop.id}/team"


@pytest.fixture
def invite(alices, team, mails):
    """`invite("guest@example.com")` is the path of the link that was mailed."""

    def send(email: str, role: str = "support") -> str:
        assert alices.post(f"{team}/invites", {"email": email, "role": role}).location == team
        return LINK.findall(mails.getvalue())[-1]

    return send


@pytest.fixture
def dora(new_account, shop, transaction, context_for) -> Person:
    """A second owner of the shop."""
    person = new_account("dora@example.com")
    with transaction() as rows:
        accounts.join(context_for(rows).in_app(shop.id), person.id, Role.OWNER)
    return person


def role_of(session, shop, person_id: str) -> str | None:
    found = session.get(Membership, (person_id, shop.id))
    return found.role if found else None


def test_the_page_lists_members_and_open_invites(alices, team, bob, invite):
    invite("guest@example.com", "owner")
    page = alices.get(team).text

    assert "The link works for 72 hours, until " in page
    assert "bob" in page
    assert "guest" in page
    [until] = re.findall(r'data-label="Until"><time datetime="([^"]+)', page)
    assert 71.9 < (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds() / 3600 <= 72


def test_ten_05_support_and_strangers_see_no_team(bobs, charlies, team, alice):
    for path in (team, f"{team}/invites/new", f"{team}/{alice.id}"):
        assert bobs.get(path).status_code == 403
        assert charlies.get(path).status_code == 404
    assert 'href="' + team not in bobs.get(team.removesuffix("/team")).text


def test_ten_06_a_removed_member_is_out_at_the_next_request(alices, bobs, bob, shop, team, session):
    assert bobs.get(f"/apps/{shop.id}/users").status_code == 200
    assert alices.post(f"{team}/{bob.id}/removal").location == team

    assert bobs.get(f"/apps/{shop.id}/users").status_code == 303
    assert session.scalars(select(AccountSession).where(AccountSession.account_id == bob.id)).all() == []


def test_ten_06_a_demoted_owner_is_out_at_the_next_request(alices, dora, signed_in, shop, team, session):
    doras = signed_in(dora)
    assert doras.get(team).status_code == 200
    assert alices.post(f"{team}/{dora.id}/role", {"role": "support"}).location == team

    assert doras.get(team).status_code == 303
    assert signed_in(dora).get(team).status_code == 403


def test_ten_06_the_only_owner_can_neither_leave_nor_be_made_support(alices, alice, shop, team, session):
    page = alices.get(f"{team}/{alice.id}").text
    assert "You are the only owner." in page
    assert "Leave" not in page.partition("<main")[2]
    for change, typed in (("role", {"role": "support"}), ("removal", {})):
        answer = alices.post(f"{team}/{alice.id}/{change}", typed)
        assert answer.status_code == 422
        assert "An app needs an owner, and this is the only one." in answer.text
    assert role_of(session, shop, alice.id) == "owner"


def test_one_of_two_owners_leaves(alices, alice, dora, shop, team, session):
    assert alices.post(f"{team}/{alice.id}/removal").location == "/apps"

    assert "You left Shop." in alices.get("/apps").text
    assert alices.get(team).status_code == 404


def test_one_of_two_owners_steps_down(alices, alice, dora, shop, team, session):
    assert alices.post(f"{team}/{alice.id}/role", {"role": "support"}).location == f"/apps/{shop.id}"
    assert alices.get(f"/apps/{shop.id}").status_code == 200
    assert role_of(session, shop, alice.id) == "support"


@pytest.mark.parametrize("typed", [{}, {"role": "admin"}, {"role": ""}])
def test_a_role_that_is_none_is_refused(alices, bob, shop, team, session, typed):
    answer = alices.post(f"{team}/{bob.id}/role", typed)

    assert answer.status_code == 422
    assert role_of(session, shop, bob.id) == "support"


def test_ten_02_another_apps_member_and_nobody_read_alike(alices, charlie, team):
    for verb in ("role", "removal"):
        answers = [
            alices.post(f"{team}/{who}/{verb}", {"role": "owner"}) for who in (charlie.id, random_id())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
    pages = [alices.get(f"{team}/{who}") for who in (charlie.id, random_id())]
    assert len({re.sub(r"[0-9a-f]{16,32}|value=\"[^\"]*\"", "", page.text) for page in pages}) == 1


def test_a_newcomer_makes_an_account_and_is_in(invite, stranger, shop, session):
    link = invite("guest@example.com")
    page = stranger.get(link).text
    assert "Join" in page
    assert 'autocomplete="new-password"' in page
    answer = stranger.post(link, {"new_password": NEW_PASSWORD})

    assert answer.location == f"/apps/{shop.id}"
    assert "Welcome. You are support of Shop." in stranger.get(answer.location).text
    guest = session.scalars(select(Account).where(Account.email == "guest@example.com")).one()
    assert role_of(session, shop, guest.id) == "support"
    assert stranger.post("/sign-out").location == "/sign-in"
    assert stranger.sign_in(Person(guest.id, guest.email, NEW_PASSWORD)).location == "/apps"


@pytest.mark.parametrize("password", ["", "short", "passwordpassword", "guest@example.com", "x" * 201])
def test_web_09_a_newcomers_password_must_be_long_and_uncommon(invite, stranger, session, password):
    answer = stranger.post(invite("guest@example.com"), {"new_password": password})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert (
        not password
        or f'value="{password}"'
        not in answer.text.replace('name="username"', "").partition("new_password")[2]
    )
    assert session.scalars(select(Account).where(Account.email == "guest@example.com")).all() == []
    assert len(session.scalars(select(Invite)).all()) == 1


def test_somebody_with_an_account_signs_in_and_joins(invite, stranger, charlie, shop, session):
    link = invite(charlie.email, "owner")
    assert f'href="/sign-in?next={link}"' in stranger.get(link).text
    assert stranger.post(link).location == f"/sign-in?next={link}"
    assert role_of(session, shop, charlie.id) is None
    assert stranger.sign_in(charlie, link).location == link

    assert "Join as owner" in stranger.get(link).text
    assert stranger.post(link).location == f"/apps/{shop.id}"
    assert role_of(session, shop, charlie.id) == "owner"


def test_ten_08_used_foreign_withdrawn_old_and_made_up_links_read_alike(
    invite, alices, bobs, stranger, charlies, charlie, team, session, clock
):
    used = invite(charlie.email)
    charlies.post(used)
    foreign = invite("else@example.com")
    withdrawn = invite("third@example.com")
    kept = session.scalars(select(Invite).where(Invite.email == "third@example.com")).one()
    assert alices.post(f"{team}/invites/{kept.id}/removal").location == team
    old = invite("fourth@example.com")
    for browser, link in (
        (charlies, used),
        (bobs, foreign),
        (stranger, withdrawn),
        (stranger, "/invites/" + "x" * 43),
    ):
        for answer in (browser.get(link), browser.post(link, {"new_password": NEW_PASSWORD})):
            assert answer.status_code == 404
            assert UNUSABLE in answer.text
    clock.advance(72 * 3600)
    assert UNUSABLE in stranger.get(old).text
    assert UNUSABLE in stranger.post(old, {"new_password": NEW_PASSWORD}).text
    assert (
        session.scalars(
            select(Account).where(Account.email.in_(["third@example.com", "fourth@example.com"]))
        ).all()
        == []
    )


def test_enu_05_an_invite_answers_alike_for_addresses_with_and_without_an_account(
    alices, charlie, team, mails
):
    answers = [
        alices.post(f"{team}/invites", {"email": email, "role": "support"})
        for email in (charlie.email, "nobody@example.com")
    ]

    assert len({(answer.status_code, answer.location, answer.text) for answer in answers}) == 1


def test_ten_08_a_withdrawn_invite_cannot_be_withdrawn_again_nor_from_another_app(
    alices, invite, charlies, team, session
):
    invite("guest@example.com")
    kept = session.scalars(select(Invite)).one()
    made = charlies.post("/apps", {"name": "Other", "home_country": "JP"})
    other = re.search(r"/apps/([0-9a-f]{32})/access-keys", made.text)[1]
    charlies.post(f"/apps/{other}/team/invites/{kept.id}/removal")
    assert session.get(Invite, kept.id) is not None
    for sentence in ("Withdrew the invite", "used or withdrawn meanwhile"):
        alices.post(f"{team}/invites/{kept.id}/removal")
        assert sentence in alices.get(team).text


def test_ten_08_the_role_of_an_invite_is_not_the_guests_to_choose(invite, stranger, shop, session):
    stranger.post(
        invite("guest@example.com"), {"new_password": NEW_PASSWORD, "role": "owner", "email": "x@example.com"}
    )
    guest = session.scalars(select(Account).where(Account.email == "guest@example.com")).one()

    assert role_of(session, shop, guest.id) == "support"


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "", "role": "support"},
        {"email": "nobody", "role": "support"},
        {"email": "a@example.com"},
        {"email": "alice@example.com", "role": "support"},
        {"email": "a@b.c\nBcc: x@y.z", "role": "owner"},
    ],
)
def test_a_refused_invite_says_where_and_keeps_what_was_typed(alices, team, session, mails, typed):
    answer = alices.post(f"{team}/invites", typed)

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert mails.getvalue() == ""
    assert session.scalars(select(Invite)).all() == []


def test_the_twenty_first_invite_of_an_hour_waits(alices, team, mails):
    for place in range(20):
        alices.post(f"{team}/invites", {"email": f"guest{place}@example.com", "role": "support"})
    answer = alices.post(f"{team}/invites", {"email": "one-more@example.com", "role": "support"})

    assert answer.status_code == 429
    assert 'value="one-more@example.com"' in answer.text


def test_ops_06_a_portal_that_cannot_send_mail_says_so_instead_of_offering_invites(alices, team, app):
    app.extensions["ringback"].mailer._out = None

    page = alices.get(team).text
    assert "This portal cannot send mail yet" in page
    assert "Invite somebody" not in page
    assert alices.post(f"{team}/invites", {"email": "a@example.com", "role": "support"}).status_code == 409


def test_web_07_the_link_begins_with_the_configured_address(alices, team, mails):
    alices.client.post(
        f"{team}/invites",
        data={"csrf_token": alices.token(), "email": "guest@example.com", "role": "support"},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )

    assert "evil" not in mails.getvalue()


def test_web_01_joining_with_a_new_account_begins_a_session_of_its_own(invite, app, shop):
    browser = Browser(app.test_client())
    link = invite("guest@example.com")
    browser.get(link)
    planted = browser.cookie()
    browser.post(link, {"new_password": NEW_PASSWORD})

    assert browser.cookie() != planted
    assert PASSWORD != NEW_PASSWORD
