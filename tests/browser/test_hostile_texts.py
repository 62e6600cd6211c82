"""Is what a stranger wrote only ever text? Twelve hostile texts in every field, on each page of the desk."""

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from portal import clock
from portal.core.reasons import Reason
from portal.core.roles import Role
from portal.models import ActorKind, App, AuditAction, MessageState, random_id
from tests import factories
from tests.browser.chromium import Watch
from tests.browser.test_accessibility import PHONE, STICKS_OUT
from tests.drivers import vendor

pytestmark = pytest.mark.browser

TEXTS = {
    "script": "<script>alert(1)</script>",
    "img": '"><img src=hostile onerror=alert(1)>',
    "svg": "<svg onload=alert(1)>",
    "breaks out": '"></a><h1 id=hostile>hostile</h1>',
    "attribute": "' onmouseover='alert(1)' autofocus onfocus='alert(1)",
    "hx-get": '" hx-get="/hostile" hx-trigger="load" x="',
    "hx-vals": '<i hx-vals="js:{a:alert(1)}" hx-get=/hostile>',
    "template": "{{7*7}} {% raw %} ${7*7} #{7*7}",
    "line ends": "one\u2028alert(1)\u2029</p>two",
    "right to left": "\u202e" + "عبدالرحمنالقحطاني" * 2 + "\u202dabc\u2066",
    "address": "javascript:alert(1)//http://hostile.example",
    "emoji": "👩‍👩‍👧‍👦" * 7 + "x",
}
LONGEST_NAME, LONGEST_DISPLAY_NAME, LONGEST_LOCALE, LONGEST_LABEL = 30, 50, 35, 40
# What no page has unless a text came alive; ours write none of these.
ALIVE = """[
    "#hostile", "[src*=hostile]", "[href^='javascript:' i]", "[hx-get*=hostile]", "[hx-vals]",
    "[autofocus]:not(#q)",
    "script:not([src])", "[onerror], [onload], [onmouseover], [onfocus]", "main i", "main svg[onload]",
].filter((kind) => document.querySelector(kind))"""
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true })"
PLAIN = (
    "document.body.textContent + [...document.querySelectorAll('input')].map((each) => each.value).join(' ')"
)


@pytest.mark.parametrize("kind", TEXTS)
def test_web_06_a_users_hostile_texts_are_only_text(alices, watch, shop, guests, kind):
    text, user = TEXTS[kind], f"/apps/{shop.id}/users/{guests[kind].id}"

    for path in ("", "/actions/resend", "/actions/disable", "/reveal"):
        alices.goto(user + path)
        assert_only_text(alices, watch, text[:LONGEST_DISPLAY_NAME])
    alices.goto(f"/apps/{shop.id}/users?q={quote(text)}")
    assert_only_text(alices, watch)


def test_web_06_lists_show_hostile_texts_only_as_text(alices, watch, shop, guests):
    for path in ("/users", "/messages", "/audit", "", "/users?locale=%22%3E%3Ch1%20id%3Dhostile%3E"):
        alices.goto(f"/apps/{shop.id}{path}")
        assert_only_text(alices, watch)
        if path in ("/users", "/messages", "/audit"):
            for text in TEXTS.values():
                assert seen(text[:LONGEST_DISPLAY_NAME]) in seen(alices.evaluate(PLAIN)), (path, text)


def test_web_06_what_an_owner_calls_a_provider_is_only_text(alices, watch, shop, guests, session):
    for at, text in enumerate(TEXTS.values()):
        named = {"label": text[:LONGEST_LABEL], "settings": {"url": text}, "paused_until": at % 2 or None}
        it = factories.provider(session, app_id=shop.id, **named)
        alices.goto(f"/apps/{shop.id}/provider/{it.id}")
        assert_only_text(alices, watch, text[:LONGEST_LABEL])
        alices.goto(f"/apps/{shop.id}/provider/{it.id}/removal")
        assert_only_text(alices, watch, text[:LONGEST_LABEL])
    app = session.get(App, shop.id)
    app.mode, app.provider = "live", "carriers"
    session.flush()
    for path in ("/provider", "/provider/sandbox", "/messages", ""):
        alices.goto(f"/apps/{shop.id}{path}")
        assert_only_text(alices, watch)


def test_web_06_a_reason_is_given_back_only_as_text(alices, watch, shop, guests):
    alices.goto(f"/apps/{shop.id}/users/{guests['script'].id}/actions/disable")
    for text in TEXTS.values():
        # A number in it is what refuses the reason; the text stays in its field.
        alices.get_by_label("Reason").fill(f"{text} 090-1234-5678")
        alices.get_by_role("button", name="Disable the user").click()
        expect(alices.locator("#reason[aria-invalid]")).to_be_visible()
        assert_only_text(alices, watch)


def test_web_06_typing_a_hostile_text_searches_for_it_and_nothing_else(alices, watch, shop, guests):
    alices.goto(f"/apps/{shop.id}/users")
    box = alices.get_by_role("searchbox", name="Search users")
    for text in TEXTS.values():
        with alices.expect_response(lambda answer: answer.request.method == "POST"):
            box.fill(text)
        expect(alices.locator(".htmx-request")).to_have_count(0)
        assert_only_text(alices, watch)
        assert box.evaluate("box => box === document.activeElement")


def test_web_06_what_an_end_user_sends_through_the_api_arrives_as_text_or_not_at_all(
    alices, watch, shop, kii
):
    for text in TEXTS.values():
        assert kii.register(loginName=text, password="pass1234").status_code == 400
        for field in ("country", "locale"):
            answer = kii.register(loginName="dora", password="pass1234", **{field: text})
            assert answer.status_code == 400, (field, text)
        arrived = kii.ask("POST", "/users", sign_up(text), type=vendor("RegistrationRequest"))
        if arrived.status_code == 201:
            alices.goto(f"/apps/{shop.id}/users/{arrived.json['userID']}")
            assert_only_text(alices, watch, text)


def sign_up(text: str) -> dict[str, object]:
    """A sign-up with a hostile text wherever one may stand."""
    local = re.sub(r"[@\s]", "", text)[:64]
    names = {"loginName": random_id(), "password": "pass1234", "displayName": text}
    return names | {"emailAddress": f"{local}@example.com", text: text, "more": {text: [text]}}


def seen(text: str) -> str:
    """A text without what no reader sees."""
    return re.sub(r"\s+", " ", text).strip()


def assert_only_text(page: Page, watch: Watch, text: str = "") -> None:
    """Fails when a text ran, asked for something, became an element, or broke the page's layout."""
    page.evaluate(OPEN_ALL)
    page.locator("body").hover(position={"x": 5, "y": 5})
    watch.must_be_calm()
    assert [path for path in watch.paths() if "hostile" in path] == []
    assert page.evaluate(ALIVE) == []
    assert seen(text) in seen(page.evaluate(PLAIN))
    out = page.evaluate(STICKS_OUT)
    assert out["over"] <= 0, out["parts"]


@pytest.fixture
def guests(session, shop, alice, bob, alices):
    """A user for each text, with it in every field; messages, entries and apps that hold it too."""
    alices.set_viewport_size(PHONE)
    found = {}
    for at, (kind, text) in enumerate(TEXTS.items()):
        found[kind] = guest(session, shop.id, text, at)
        owned = factories.app(session, name=text[:LONGEST_NAME])
        factories.membership(session, app_id=owned.id, account_id=alice.id, role=Role.OWNER)
    return found


def guest(session, app_id: str, text: str, at: int):
    """One user whose every field, message and entry holds a text."""
    user = factories.user(
        session,
        app_id=app_id,
        login_name=f"{text[:60]}{at:02}",
        display_name=text[:LONGEST_DISPLAY_NAME],
        email_address=f"{text[:60]}{at}@example.com",
        country="JP",
        locale="ja",
        custom_fields={text: text},
        phone_number=f"+8190123456{at:02}",
        pending_phone_number=f"+8180123456{at:02}",
    )
    own = {"app_id": app_id, "user_id": user.id}
    failed = {"state": MessageState.FAILED, "reason": Reason.PROVIDER_REFUSED, "provider": text[:32]}
    code = factories.verification(session, **own, phone_number=user.pending_phone_number, purpose="change")
    sms = {"verification_id": code.id, "phone_number": code.phone_number, "provider_words": f"{text} {text}"}
    factories.message(session, **own, **failed, **sms, issue=1, attempts=2)
    entry = {"actor_kind": ActorKind.USER, "reason": f"{text} {text}", "at": clock.now()}
    changed = {"before": {"display_name": text, text: text}, "after": {"display_name": text * 2, text: text}}
    factories.audit_entry(session, **own, **entry, action=AuditAction.USER_UPDATED, details=changed)
    return user
