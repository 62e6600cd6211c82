"""Is a team put together, by keyboard and without JavaScript, and can everybody read its pages?"""

import io
import re

import pytest
from playwright.sync_api import Page, expect

from portal.models import Invite, Membership
from tests import factories
from tests.browser.test_accessibility import assert_everybody_can_read
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser

NEW_PASSWORD = "tea garden 42 umbrella"
LONG = f"{'a' * 60}@{'long-domain-name.' * 8}example"


@pytest.fixture
def mails(app) -> io.StringIO:
    """What development shows of the mails that leave."""
    app.extensions["ringback"].mailer._out = io.StringIO()
    return app.extensions["ringback"].mailer._out


def link_in(mails: io.StringIO) -> str:
    """The path of the last link that was mailed."""
    return re.findall(r"http://127\.0\.0\.1:8080(/invites/\S+)", mails.getvalue())[-1]


def test_somebody_is_invited_by_keyboard_and_joins(alices, shop, mails, context, site):
    alices.goto(f"/apps/{shop.id}/team")
    tab_to(alices, alices.get_by_role("link", name="Invite somebody"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="Invite somebody")).to_be_visible()
    tab_to(alices, alices.get_by_label("E-mail address"))
    alices.keyboard.type("guest@example.com")
    tab_to(alices, alices.get_by_role("radio", name="Support"))
    alices.keyboard.press("ArrowUp")
    expect(alices.get_by_role("radio", name="Owner")).to_be_checked()
    tab_to(alices, alices.get_by_role("button", name="Send the invite"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_text("Invited guest@example.com as owner.")).to_be_visible()
    tab_to(alices, alices.get_by_role("button", name="Sign out"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="Sign in")).to_be_visible()

    alices.goto(link_in(mails))
    tab_to(alices, alices.get_by_label("New password"))
    alices.keyboard.type("passwordpassword")
    alices.keyboard.press("Enter")
    expect(alices.get_by_text("This is among the first that would be tried.")).to_be_visible()
    expect(alices.get_by_label("New password")).to_be_focused()
    alices.keyboard.type(NEW_PASSWORD)
    alices.keyboard.press("Enter")
    expect(alices.get_by_text("Welcome. You are owner of Shop.")).to_be_visible()


@pytest.mark.parametrize("scripts", [False])
def test_without_javascript_a_member_is_changed_and_removed(alices, shop, bob, session, scripts):
    alices.goto(f"/apps/{shop.id}/team")
    alices.get_by_role("link", name=bob.email).click()
    alices.get_by_role("radio", name="Owner").check()
    alices.get_by_role("button", name="Save the role").click()
    expect(alices.get_by_text(f"{bob.email} is owner now.")).to_be_visible()
    assert session.get(Membership, (bob.id, shop.id)).role == "owner"

    alices.get_by_role("link", name=bob.email).click()
    alices.get_by_role("button", name="Remove from the team").click()
    expect(alices.get_by_text(f"Removed {bob.email} from the team.")).to_be_visible()
    assert session.get(Membership, (bob.id, shop.id)) is None


@pytest.mark.parametrize("scripts", [False])
def test_without_javascript_an_invite_is_sent_and_withdrawn(alices, shop, session, mails, scripts):
    alices.goto(f"/apps/{shop.id}/team/invites/new")
    alices.get_by_label("E-mail address").fill("guest@example.com")
    alices.get_by_role("button", name="Send the invite").click()
    alices.get_by_role("button", name="Withdraw the invite of guest@example.com").click()
    expect(alices.get_by_text("Withdrew the invite of guest@example.com.")).to_be_visible()
    assert session.query(Invite).count() == 0


def test_a_full_team_can_be_read_by_everybody(alices, shop, session, watch):
    for role in ("owner", "support"):
        factories.membership(session, app_id=shop.id, role=role)
    factories.membership(session, app_id=shop.id, account_id=factories.account(session, email=LONG).id)
    factories.invite(session, app_id=shop.id, email=f"b{LONG}", role="owner")
    factories.invite(session, app_id=shop.id)
    alices.goto(f"/apps/{shop.id}/team")
    expect(alices.get_by_role("button", name="Withdraw")).to_have_count(2)

    assert_everybody_can_read(alices, watch)


@pytest.mark.parametrize("who", ["alice", "somebody with a long address"])
def test_a_member_can_be_read_by_everybody(alices, shop, alice, session, watch, who):
    person = alice if who == "alice" else factories.account(session, email=LONG)
    if person is not alice:
        factories.membership(session, app_id=shop.id, account_id=person.id)
    alices.goto(f"/apps/{shop.id}/team/{person.id}")
    expect(alices.get_by_role("heading", level=1)).to_have_text(person.email)

    assert_everybody_can_read(alices, watch)


def test_a_refused_role_and_a_refused_invite_can_be_read_by_everybody(alices, shop, alice, watch):
    alices.goto(f"/apps/{shop.id}/team/{alice.id}")
    alices.get_by_role("radio", name="Support").check()
    alices.get_by_role("button", name="Save the role").click()
    expect(alices.get_by_text("An app needs an owner")).to_be_visible()
    expect(alices.get_by_role("group", name="Role")).to_be_focused()
    assert_everybody_can_read(alices, watch)
    alices.goto(f"/apps/{shop.id}/team/invites/new")
    alices.get_by_role("button", name="Send the invite").click()
    expect(alices.get_by_role("alert")).to_be_focused()
    assert_everybody_can_read(alices, watch)


def test_the_page_of_an_invite_can_be_read_by_everybody(
    page: Page, sign_in, alice, charlie, shop, mails, watch
):
    watch.expects(404)
    sign_in(page, alice)
    for email in (charlie.email, "guest@example.com"):
        page.goto(f"/apps/{shop.id}/team/invites/new")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_role("button", name="Send the invite").click()
        expect(page.get_by_text(f"Invited {email}")).to_be_visible()
    for_charlie, for_guest = re.findall(r"http://127\.0\.0\.1:8080(/invites/\S+)", mails.getvalue())
    page.goto(for_charlie)
    expect(page.get_by_text("This invite cannot be used.")).to_be_visible()
    assert_everybody_can_read(page, watch)
    page.context.clear_cookies()
    for link, button in ((for_charlie, "Sign in"), (for_guest, "Make my account and join")):
        page.goto(link)
        expect(page.get_by_text(button, exact=True)).to_be_visible()
        assert_everybody_can_read(page, watch)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_text("Choose a password.")).to_be_visible()
    assert_everybody_can_read(page, watch)
    sign_in(page, charlie)
    page.goto(for_charlie)
    expect(page.get_by_role("button", name="Join as support")).to_be_visible()
    assert_everybody_can_read(page, watch)
