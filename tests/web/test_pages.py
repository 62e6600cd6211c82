"""Does each page open for whom it should, and for nobody else? (TEN-02, TEN-05)"""

import re

import pytest

from portal.core.roles import ALLOWED, Action, Role
from portal.errors import Busy
from portal.models import random_id
from tests import factories

CUSTOMER = "/users/abcdefabcdef-4abc-8abc-abcd-abcdefab"
DEAD = "d" * 32
KEY = "fedcba9876543210" * 2
PROVIDER = "/provider/" + "0123456789abcdef" * 2
PAGES = {
    "": Action.SEE_APP,
    "/verification": Action.SEE_SETTINGS,
    "/sms-templates": Action.SEE_SMS_TEMPLATES,
    "/sms-templates/new": Action.CHANGE_SMS_TEMPLATES,
    "/sms-templates/en": Action.SEE_SMS_TEMPLATES,
    "/sms-templates/ja": Action.SEE_SMS_TEMPLATES,
    "/sms-templates/simulator": Action.SEE_SMS_TEMPLATES,
    "/sms-settings": Action.SEE_SMS_TEMPLATES,
    "/sms-templates/en/test": Action.CHANGE_SMS_TEMPLATES,
    "/sms-templates/en/versions": Action.SEE_SMS_TEMPLATES,
    "/sms-templates/en/versions/1": Action.SEE_SMS_TEMPLATES,
    "/sms-templates/import": Action.CHANGE_SMS_TEMPLATES,
    "/users": Action.SEE_USERS,
    CUSTOMER: Action.SEE_USERS,
    f"{CUSTOMER}/actions/resend": Action.HELP_USERS,
    f"{CUSTOMER}/actions/cancel-change": Action.HELP_USERS,
    f"{CUSTOMER}/actions/mark-verified": Action.MARK_VERIFIED,
    f"{CUSTOMER}/actions/erase": Action.ERASE_USERS,
    f"{CUSTOMER}/actions/free-number": Action.HELP_USERS,
    f"{CUSTOMER}/actions/disable": Action.HELP_USERS,
    f"{CUSTOMER}/reveal": Action.REVEAL_NUMBERS,
    "/inbox": Action.SEE_INBOX,
    "/messages": Action.SEE_MESSAGES,
    "/messages/retries": Action.HELP_USERS,
    f"/messages/{DEAD}/retry": Action.HELP_USERS,
    "/audit": Action.SEE_AUDIT,
    "/provider": Action.MANAGE_PROVIDERS,
    "/provider/new": Action.MANAGE_PROVIDERS,
    "/provider/new/http": Action.MANAGE_PROVIDERS,
    "/provider/live": Action.MANAGE_PROVIDERS,
    "/provider/sandbox": Action.MANAGE_PROVIDERS,
    PROVIDER: Action.MANAGE_PROVIDERS,
    f"{PROVIDER}/removal": Action.MANAGE_PROVIDERS,
    "/access-keys": Action.MANAGE_KEYS,
    f"/access-keys/{KEY}/ending": Action.CHANGE_KEYS,
    "/team": Action.SEE_TEAM,
    "/team/invites/new": Action.MANAGE_TEAM,
}
CHANGES = {
    "/verification": Action.CHANGE_SETTINGS,
    "/verification/switch": Action.CHANGE_SETTINGS,
    "/sms-templates/ja": Action.PUBLISH_SMS_TEMPLATES,
    "/sms-templates/ja/preview": Action.SEE_SMS_TEMPLATES,
    "/sms-templates/ja/removal": Action.PUBLISH_SMS_TEMPLATES,
    "/sms-settings": Action.CHANGE_SMS_TEMPLATES,
    "/sms-templates/en/versions/1/restoration": Action.PUBLISH_SMS_TEMPLATES,
    "/sms-templates/en/draft/approval": Action.PUBLISH_SMS_TEMPLATES,
    "/sms-templates/en/draft/removal": Action.CHANGE_SMS_TEMPLATES,
    "/sms-templates/import": Action.CHANGE_SMS_TEMPLATES,
    "/sms-templates/import/confirmation": Action.PUBLISH_SMS_TEMPLATES,
    "/sms-templates/en/test": Action.CHANGE_SMS_TEMPLATES,
    "/sms-templates/en/test/number": Action.CHANGE_SMS_TEMPLATES,
    "/provider/new/http": Action.MANAGE_PROVIDERS,
    "/provider/live": Action.MANAGE_PROVIDERS,
    "/provider/sandbox": Action.MANAGE_PROVIDERS,
    PROVIDER: Action.MANAGE_PROVIDERS,
    f"{PROVIDER}/check": Action.MANAGE_PROVIDERS,
    f"{PROVIDER}/place": Action.MANAGE_PROVIDERS,
    f"{PROVIDER}/removal": Action.MANAGE_PROVIDERS,
    f"{PROVIDER}/switch": Action.MANAGE_PROVIDERS,
    "/access-keys/secret": Action.CHANGE_KEYS,
    "/access-keys/app-keys": Action.CHANGE_KEYS,
    "/access-keys/client-secrets": Action.CHANGE_KEYS,
    f"/access-keys/{KEY}/ending": Action.CHANGE_KEYS,
    "/team/invites": Action.MANAGE_TEAM,
    "/audit/export": Action.EXPORT_AUDIT,
    f"{CUSTOMER}/actions/mark-verified": Action.MARK_VERIFIED,
    f"{CUSTOMER}/actions/erase": Action.ERASE_USERS,
}
# They change nothing; a body carries what no address may hold.
QUESTIONS = {
    "/users": Action.SEE_USERS,
    "/sms-templates/ja/preview": Action.SEE_SMS_TEMPLATES,
}


@pytest.fixture(autouse=True)
def carrier(session, shop):
    """The shop's provider, which the pages above name, a message that was set aside and a second secret."""
    named = {"id": PROVIDER.rpartition("/")[2], "settings": {"url": "https://sms.example/send"}}
    factories.message(session, app_id=shop.id, id=DEAD, state="dead")
    factories.access_key(session, app_id=shop.id, id=KEY, slot=2)
    return factories.provider(session, app_id=shop.id, **named)


def without_its_id(page: str) -> str:
    """An error page without the id of its request, and without the address that was asked for."""
    return re.sub(
        r"<code>[0-9a-f]{32}</code>|name=\"(back|csrf_token)\" value=\"[^\"]*\"|X-CSRFToken[^}]*", "", page
    )


@pytest.mark.parametrize("path", PAGES)
def test_the_owner_opens_every_page(alices, shop, customer, path):
    answer = alices.get(f"/apps/{shop.id}{path}")

    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1


@pytest.mark.parametrize(("path", "action"), PAGES.items())
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_ten_05_support_opens_what_the_matrix_allows_and_nothing_else(
    bobs, shop, customer, path, action, headers
):
    answer = bobs.get(f"/apps/{shop.id}{path}", headers=headers)

    assert answer.status_code == (200 if action in ALLOWED[Role.SUPPORT] else 403)


@pytest.mark.parametrize("path", CHANGES)
def test_ten_05_support_changes_nothing(bobs, shop, path):
    assert bobs.post(f"/apps/{shop.id}{path}").status_code == 403


@pytest.mark.parametrize(("path", "action"), QUESTIONS.items())
def test_ten_05_each_role_asks_what_the_matrix_allows(alices, bobs, shop, path, action):
    for browser, role in ((alices, Role.OWNER), (bobs, Role.SUPPORT)):
        status = browser.post(f"/apps/{shop.id}{path}").status_code
        assert status in ((200, 303) if action in ALLOWED[role] else (403,))


@pytest.mark.parametrize("path", QUESTIONS)
def test_ten_02_nobody_asks_about_an_app_that_is_not_theirs(charlies, stranger, shop, path):
    assert charlies.post(f"/apps/{shop.id}{path}").status_code == 404
    assert stranger.post(f"/apps/{shop.id}{path}").location == "/sign-in"


@pytest.mark.parametrize("path", PAGES)
def test_ten_02_a_stranger_reads_of_the_shop_what_anybody_reads_of_nothing(charlies, shop, customer, path):
    theirs = charlies.get(f"/apps/{shop.id}{path}")
    nobodys = charlies.get(f"/apps/{random_id()}{path}")

    assert theirs.status_code == nobodys.status_code == 404
    assert without_its_id(theirs.text) == without_its_id(nobodys.text)


@pytest.mark.parametrize("path", CHANGES)
def test_ten_02_a_stranger_changes_nothing_in_the_shop(charlies, shop, path):
    assert charlies.post(f"/apps/{shop.id}{path}").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_a_signed_out_browser_is_asked_to_sign_in_and_comes_back(stranger, shop, path):
    answer = stranger.get(f"/apps/{shop.id}{path}")

    assert answer.status_code == 303
    assert answer.location == f"/sign-in?next=/apps/{shop.id}{path}"


@pytest.mark.parametrize("path", PAGES)
def test_a_signed_out_fragment_sends_the_whole_page_to_sign_in(stranger, shop, path):
    answer = stranger.fragment(f"/apps/{shop.id}{path}")

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, "/sign-in")


def test_the_rail_offers_support_only_what_support_may_open(bobs, shop):
    rail = bobs.get(f"/apps/{shop.id}").text.split('id="rail"')[1].split("</nav>")[0]

    assert re.findall(r"</svg>([A-Z][A-Za-z ]+)</a>", rail) == [
        "Ringback",
        "Overview",
        "Users",
        "Messages",
        "Audit",
    ]


def test_the_rail_offers_the_owner_every_page_in_the_order_of_work(alices, shop):
    rail = alices.get(f"/apps/{shop.id}").text.split('id="rail"')[1].split("</nav>")[0]

    words = [
        "Overview",
        "Inbox",
        "Users",
        "Messages",
        "SMS templates",
        "Verification",
        "Provider",
        "Access keys",
        "Team",
        "Audit",
    ]
    assert re.findall(r"</svg>([A-Z][A-Za-z ]+)</a>", rail) == ["Ringback", *words]


def test_charlie_has_no_apps_and_is_told_what_to_do(charlies, shop):
    page = charlies.get("/apps").text

    assert "You have no apps yet" in page
    assert "Shop" not in page


def test_the_front_door_leads_to_the_apps(stranger):
    assert stranger.get("/").location == "/apps"


def test_an_error_page_says_its_request_id(alices):
    answer = alices.get("/apps/nothing")

    assert answer.headers["X-Request-ID"] in answer.text


def test_a_broken_request_gets_a_page_without_the_rail_and_tells_nothing(app, alices, shop, monkeypatch):
    def breaks(*_given):
        raise RuntimeError("secret detail")

    app.testing = app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("portal.services.apps.counts", breaks)
    answer = alices.get(f"/apps/{shop.id}")

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert 'id="rail"' not in answer.text
    assert "secret detail" not in answer.text


def test_a_busy_server_says_when_to_come_back(alices, shop, monkeypatch):
    def refuses(*_given):
        raise Busy("Too much at once.", retry_after=3)

    monkeypatch.setattr("portal.services.apps.counts", refuses)
    answer = alices.get(f"/apps/{shop.id}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
