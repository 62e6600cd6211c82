"""Does everything work in a browser that runs no JavaScript? Forms post, links page, nothing is lost."""

import pytest
from playwright.sync_api import Page, expect

from portal.models import App
from portal.services import access_keys
from tests.browser.sites import type_sign_in

pytestmark = pytest.mark.browser


def test_somebody_signs_in_creates_an_app_and_signs_out(page, alice):
    type_sign_in(page, alice.email, alice.password)
    page.get_by_role("link", name="New app").click()
    page.get_by_label("Name").fill("Tea house")
    page.get_by_label("Home country").select_option(label="Japan")
    page.get_by_role("button", name="Create app").click()
    expect(page.get_by_role("heading", name="Tea house is ready")).to_be_visible()
    assert len(page.locator("#client-secret").inner_text()) >= 32
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("link", name="I have stored it").click()
    expect(page.get_by_role("heading", name="Tea house", level=1)).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/apps")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_refused_app_keeps_what_was_typed(alices):
    alices.goto("/apps/new")
    alices.get_by_label("Name").fill("evil.example")
    alices.get_by_role("button", name="Create app").click()

    expect(alices.get_by_role("alert")).to_contain_text("Nothing was saved.")
    expect(alices.get_by_label("Name")).to_have_value("evil.example")


def test_verification_is_switched_by_a_form(alices, shop, session):
    alices.goto(f"/apps/{shop.id}/verification")
    alices.get_by_role("switch").uncheck()
    alices.get_by_role("button", name="Save", exact=True).click()
    expect(alices.get_by_text("Saved. Phone verification is off.")).to_be_visible()
    expect(alices.get_by_role("switch")).not_to_be_checked()
    assert session.get(App, shop.id).phone_number_verification_required is False

    alices.get_by_role("switch").check()
    alices.get_by_role("button", name="Save", exact=True).click()
    expect(alices.get_by_role("switch")).to_be_checked()
    assert session.get(App, shop.id).phone_number_verification_required is True


def test_settings_are_saved_and_a_refusal_keeps_them_all(alices, shop, session):
    alices.goto(f"/apps/{shop.id}/verification")
    alices.get_by_label("Code length").fill("99")
    alices.get_by_label("Germany").check()
    alices.get_by_role("button", name="Save settings").click()
    expect(alices.get_by_role("alert")).to_contain_text("Write a number from 4 to 10.")
    expect(alices.get_by_label("Code length")).to_have_value("99")
    expect(alices.get_by_label("Germany")).to_be_checked()

    alices.get_by_label("Code length").fill("8")
    alices.get_by_role("button", name="Save settings").click()
    expect(alices.get_by_text("New codes follow these settings")).to_be_visible()
    expect(alices.get_by_label("Code length")).to_have_value("8")
    expect(alices.get_by_label("Germany")).to_be_checked()
    assert session.get(App, shop.id).code_length == 8


def test_a_template_is_previewed_refused_saved_and_removed(alices, shop):
    alices.goto(f"/apps/{shop.id}/sms-templates/new")
    alices.get_by_role("link", name="Japanese").click()
    text, bubble = alices.get_by_label("Text"), alices.locator(".bubble")
    text.fill("コードは｛code｝です")
    alices.get_by_role("button", name="Preview").click()
    expect(bubble).to_have_text("コードは｛code｝です")
    expect(text).to_have_value("コードは｛code｝です")

    alices.get_by_role("button", name="Save Japanese").click()
    expect(alices.get_by_role("alert")).to_contain_text("Write {code}.")
    expect(text).to_have_value("コードは｛code｝です")

    text.fill("{app_name}のコードは{code}です")
    alices.get_by_role("button", name="Save Japanese").click()
    expect(alices.get_by_text("Saved Japanese, version 1.")).to_be_visible()
    expect(bubble).to_contain_text("Shopのコードは482913です")

    alices.get_by_role("button", name="Remove Japanese").click()
    expect(alices.get_by_text("Removed Japanese.")).to_be_visible()
    expect(alices.get_by_role("rowheader")).to_have_count(1)


def test_120_users_are_paged_by_links(alices, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    seen = names(alices)
    for _ in range(2):
        alices.get_by_role("link", name="Show 50 more").click()
        expect(alices.get_by_role("link", name="Back to the newest")).to_be_visible()
        seen += names(alices)

    assert seen == [user.login_name for user in reversed(crowd)]
    expect(alices.get_by_role("link", name="Show 50 more")).to_have_count(0)
    alices.get_by_role("link", name="Back to the newest").click()
    assert names(alices) == seen[:50]


def names(page: Page) -> list[str]:
    return page.locator("a.row-target").all_inner_texts()


def test_users_are_searched_filtered_and_cleared(alices, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    alices.get_by_role("link", name="Active", exact=True).click()
    alices.get_by_role("searchbox", name="Search users").fill("person000")
    alices.get_by_role("button", name="Search").click()
    expect(alices.get_by_text("No user matches this search and these filters.")).to_be_visible()

    alices.get_by_role("link", name="Active", exact=True).click()
    expect(alices.locator("a.row-target")).to_have_text(["person000"])
    expect(alices.locator("#understood")).to_contain_text("person000")
    alices.get_by_role("link", name="Clear", exact=True).click()
    expect(alices.locator("a.row-target")).to_have_count(50)


def test_the_inbox_is_read_by_reloading_and_paged_by_links(alices, shop, phone_full):
    phone_full(31)
    alices.goto(f"/apps/{shop.id}/inbox")
    expect(alices.locator("#messages li")).to_have_count(30)
    alices.get_by_role("link", name="Older messages").click()
    expect(alices.locator("#messages li")).to_have_count(1)


def test_the_secret_is_reset_after_the_verb_was_typed(alices, shop, session):
    before = access_keys.live(session, shop.id)
    alices.goto(f"/apps/{shop.id}/access-keys")
    alices.get_by_role("button", name="Reset ClientSecret").click()
    expect(alices.get_by_text("Nothing was changed.")).to_be_visible()
    assert access_keys.live(session, shop.id) == before

    alices.get_by_label("Type reset").fill("reset")
    alices.get_by_role("button", name="Reset ClientSecret").click()
    secret = alices.locator("#client-secret").inner_text()
    assert secret[-4:] in [key.last4 for key in access_keys.live(session, shop.id)]
    assert shop.client_secret[-4:] not in [key.last4 for key in access_keys.live(session, shop.id)]


def test_the_theme_is_switched_and_the_page_stays(alices, shop):
    alices.goto(f"/apps/{shop.id}/users?verified=yes")
    alices.get_by_role("button", name="Dark").click()

    expect(alices.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(alices).to_have_url(f"/apps/{shop.id}/users?verified=yes")


def test_the_menu_of_a_phone_opens_and_closes(alices, shop):
    alices.set_viewport_size({"width": 360, "height": 740})
    alices.goto(f"/apps/{shop.id}")
    users = alices.get_by_role("navigation", name="Portal").get_by_role("link", name="Users")
    expect(users).to_be_hidden()
    alices.get_by_role("link", name="Menu").click()
    expect(users).to_be_visible()
    alices.get_by_role("link", name="Close the menu").click()
    expect(users).to_be_hidden()


@pytest.fixture
def scripts() -> bool:
    """This browser runs no JavaScript."""
    return False
