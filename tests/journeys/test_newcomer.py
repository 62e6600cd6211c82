"""Does the whole story work, from a fresh machine to a user that support finds by four digits?"""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import CONTEXT, Watch
from tests.browser.installations import OWNER, Installation
from tests.browser.sites import kii_at, type_sign_in
from tests.drivers import KiiClient, KiiUser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST, SECOND = "+819012345678", "+818087654321"
WORDING = "【{app_name}】認証コードは{code}です。{minutes}分以内に入力してください。"
CODE = re.compile(r"認証コードは(\d{6})です")


def test_a_newcomer_verifies_a_real_user_and_support_looks_the_user_up(page, installation, supports):
    type_sign_in(page, OWNER, installation.password)
    app_id = create_app_in_japan(page)
    switch_verification_on(page)
    add_a_japanese_template(page)

    kii = kii_at(installation.address, app_id)
    wait_at_the_inbox(page)
    hanako = sign_up(kii)
    code = code_that_arrives(page, messages=1)
    assert log_in(kii, FIRST) == 400
    assert hanako.verify(code).status_code == 200
    assert log_in(kii, FIRST) == 200

    assert hanako.change_phone(SECOND).status_code == 204
    code = code_that_arrives(page, messages=3)
    see_current_and_pending(page)
    assert (log_in(kii, FIRST), log_in(kii, SECOND)) == (200, 400)
    assert hanako.verify(code).status_code == 200
    assert (log_in(kii, FIRST), log_in(kii, SECOND)) == (400, 200)

    find_by_four_digits(supports(app_id), hanako)


def create_app_in_japan(page: Page) -> str:
    """Creates an app through its form; returns the AppID."""
    page.get_by_role("link", name="New app").click()
    page.get_by_label("Name").fill("茶店")
    page.get_by_label("Home country").select_option("JP")
    page.get_by_role("button", name="Create app").click()
    expect(page.get_by_role("heading", name="茶店 is ready")).to_be_visible()
    app_id = page.locator("#app-id").inner_text()
    page.get_by_role("link", name="I have stored it").click()
    return app_id


def switch_verification_on(page: Page) -> None:
    """Flips the switch on the Verification page, which saves by itself."""
    to(page, "Verification")
    page.get_by_role("switch", name="Phone verification").check()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()


def add_a_japanese_template(page: Page) -> None:
    """Words the SMS in Japanese beside the English one, and sees the phone change while typing."""
    to(page, "SMS templates")
    expect(page.get_by_role("rowheader")).to_have_text([re.compile("English")])
    page.get_by_role("link", name="Add a language").click()
    page.get_by_role("link", name="Japanese").click()
    text, bubble = page.get_by_label("Text"), page.locator(".bubble")
    text.fill("")
    text.press_sequentially("コード{code}")
    expect(bubble).to_have_text("コード482913")
    text.fill(WORDING)
    expect(bubble).to_have_text("【茶店】認証コードは482913です。10分以内に入力してください。")
    expect(page.get_by_text("UCS-2 · 1 segment")).to_be_visible()
    page.get_by_role("button", name="Save Japanese").click()
    expect(page.get_by_text("Saved Japanese, version 1.")).to_be_visible()


def wait_at_the_inbox(page: Page) -> None:
    """Opens the inbox, marks the page so that a reload would be noticed, and stays there."""
    to(page, "Inbox")
    expect(page.get_by_text("No SMS yet")).to_be_visible()
    page.evaluate("window.neverReloaded = true")


def sign_up(kii: KiiClient) -> KiiUser:
    """An end user signs up through the REST API."""
    return kii.sign_up(loginName="hanako", phoneNumber=FIRST, locale="ja-JP", displayName="山田 花子")


def code_that_arrives(page: Page, *, messages: int) -> str:
    """The code in the newest Japanese SMS, once so many messages are there; the page was not reloaded."""
    expect(page.locator("#messages li")).to_have_count(messages)
    assert page.evaluate("window.neverReloaded") is True
    newest = page.locator(".bubble[lang=ja]").filter(has_text=CODE).first
    return CODE.search(newest.inner_text())[1]


def log_in(kii: KiiClient, number: str) -> int:
    """The status of logging in with a phone number."""
    return kii.log_in(f"PHONE:{number}").status_code


def see_current_and_pending(page: Page) -> None:
    """Opens the user from the inbox: both numbers stand side by side, masked."""
    page.get_by_role("link", name="Open the user").first.click()
    current = page.locator(".pending-number").filter(has=page.get_by_role("heading", name="Current"))
    pending = page.locator(".pending-number").filter(has=page.get_by_role("heading", name="Pending"))
    expect(current).to_contain_text(re.compile(r"\+81.*5678.*Japan \(JP\).*Verified", re.DOTALL))
    expect(pending).to_contain_text(re.compile(r"\+81.*4321.*Japan \(JP\).*Pending", re.DOTALL))
    here, there = current.bounding_box(), pending.bounding_box()
    assert here["y"] == there["y"]
    assert here["x"] + here["width"] <= there["x"]
    expect(page.get_by_text(re.compile(r"Right now \+81.*5678 logs in\."))).to_be_visible()


def find_by_four_digits(page: Page, user: KiiUser) -> None:
    """Support types the last four digits of the number in force, and opens the user."""
    to(page, "Users")
    page.get_by_role("searchbox", name="Search users").fill("4321")
    expect(page.locator("a.row-target")).to_have_text(["山田 花子"])
    page.locator("a.row-target").click()
    expect(page.locator("#user-id")).to_have_text(user.id)
    expect(page.get_by_text(re.compile(r"Right now \+81.*4321 logs in\."))).to_be_visible()
    expect(page.get_by_role("heading", name="Pending")).to_have_count(0)


def to(page: Page, name: str) -> None:
    """Follows the rail."""
    page.get_by_role("navigation", name="Portal").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


@pytest.fixture
def supports(browser: Browser, installation: Installation, watch: Watch):
    """`supports(app_id)` is Bob's tab: an account made at the terminal, then taken in as support."""
    contexts = []

    def enter(app_id: str) -> Page:
        email = "bob@example.com"
        password = re.search(r"password +(\S+)", installation.types("accounts", "create", email))[1]
        installation.types("accounts", "join", email, app_id, "--role", "support")
        contexts.append(browser.new_context(base_url=installation.address, **CONTEXT))
        watch.over(contexts[0])
        page = contexts[0].new_page()
        type_sign_in(page, email, password)
        page.get_by_role("link", name="茶店").click()
        return page

    yield enter
    for context in contexts:
        context.close()
