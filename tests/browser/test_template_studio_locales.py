"""Are languages found, simulated and set up in a browser: live, by keyboard, and without JavaScript?"""

import pytest
from playwright.sync_api import Page, expect

from portal.models import App
from portal.services import segment_prices
from tests import factories
from tests.browser.test_keyboard import tab_to

pytestmark = pytest.mark.browser


@pytest.fixture
def scripts(request) -> bool:
    """Both kinds of browser, where a test asks for both."""
    return getattr(request, "param", True)


@pytest.fixture
def koreans(session, shop) -> None:
    """Three users whose language the shop does not write."""
    for _ in range(3):
        factories.user(session, app_id=shop.id, locale="ko-KR")


def in_both_browsers(test):
    """Runs a test with JavaScript and without."""
    return pytest.mark.parametrize("scripts", [True, False], ids=["scripted", "plain"], indirect=True)(test)


def test_typing_kor_offers_korean_and_the_keyboard_leads_to_its_editor(alices: Page, shop, watch):
    alices.goto(f"/apps/{shop.id}/sms-templates")
    tab_to(alices, alices.get_by_role("link", name="Add a language"))
    alices.keyboard.press("Enter")
    box = alices.get_by_role("searchbox", name="Language")
    expect(box).to_be_visible()
    tab_to(alices, box)
    alices.keyboard.type("kor")
    first = alices.locator("#suggestions li a").first
    expect(first).to_contain_text("한국어")
    expect(box).to_be_focused()
    expect(box).to_have_value("kor")
    tab_to(alices, first)
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="Korean SMS", level=1)).to_be_visible()


def test_what_is_found_is_said_to_who_cannot_see_it(alices: Page, shop):
    alices.goto(f"/apps/{shop.id}/sms-templates/new")
    alices.get_by_role("searchbox").fill("welsh")
    expect(alices.locator("#voice")).to_contain_text("found")
    alices.get_by_role("searchbox").fill("")
    expect(alices.get_by_role("heading", name="Languages with a ready wording")).to_be_visible()


@in_both_browsers
def test_a_sent_name_is_answered_by_links_and_a_sent_tag_by_its_editor(alices: Page, shop):
    alices.goto(f"/apps/{shop.id}/sms-templates/new")
    alices.get_by_role("searchbox").fill("kor")
    alices.get_by_role("button", name="Find").click()
    expect(alices).to_have_url(f"/apps/{shop.id}/sms-templates/new?locale=kor")
    expect(alices.locator("#suggestions li").first).to_contain_text("Korean")
    alices.get_by_role("searchbox").fill("pt_br")
    alices.get_by_role("searchbox").press("Enter")
    expect(alices).to_have_url(f"/apps/{shop.id}/sms-templates/pt-BR")


@in_both_browsers
def test_a_missing_language_is_added_from_the_list(alices: Page, shop, koreans):
    alices.goto(f"/apps/{shop.id}/sms-templates")
    row = alices.get_by_role("row").filter(has_text="ko-KR")
    expect(row).to_contain_text("No template")
    row.get_by_role("link", name="Add Korean").click()
    alices.get_by_role("button", name="Save Korean").click()
    alices.goto(f"/apps/{shop.id}/sms-templates")
    expect(row).not_to_contain_text("No template")
    expect(alices.get_by_text("3 read their language")).to_be_visible()


def test_the_simulator_follows_typing_and_passes_over_half_a_tag(alices: Page, shop, koreans):
    alices.goto(f"/apps/{shop.id}/sms-templates/simulator")
    box = alices.get_by_role("searchbox", name="Language tag")
    tab_to(alices, box)
    alices.keyboard.type("zh-")
    expect(alices.locator("#steps")).to_contain_text("Write a language tag")
    alices.keyboard.type("TW")
    expect(alices.locator(".steps li")).to_have_count(5)
    expect(alices.locator(".steps .is-winner")).to_contain_text("The app's default language")
    expect(alices.locator(".bubble")).to_contain_text("482913")
    expect(box).to_be_focused()
    expect(box).to_have_value("zh-TW")


@in_both_browsers
def test_the_simulator_is_asked_by_its_button_and_by_what_users_have(alices: Page, shop, koreans):
    alices.goto(f"/apps/{shop.id}/sms-templates/simulator")
    alices.get_by_role("link", name="ko-KR").click()
    expect(alices.get_by_text("3 users have exactly ko-KR.")).to_be_visible()
    alices.get_by_role("searchbox").fill("nonsense")
    alices.get_by_role("button", name="Show the steps").click()
    expect(alices.locator("#locale[aria-invalid]")).to_be_visible()
    expect(alices.get_by_role("searchbox")).to_have_value("nonsense")


@in_both_browsers
def test_settings_are_saved_and_a_refusal_keeps_them_all(alices: Page, shop, session):
    alices.goto(f"/apps/{shop.id}/sms-templates")
    alices.get_by_role("link", name="SMS settings").click()
    alices.get_by_label("Autofill on your web site").check()
    alices.get_by_label("Domain").fill("https://shop.example")
    alices.get_by_label("Japan (JP)").fill("1,000")
    alices.get_by_label("Currency").select_option("JPY")
    alices.get_by_role("button", name="Save settings").click()
    expect(alices.locator("#price_JP-error")).to_contain_text("Write 1000")
    expect(alices.get_by_label("Domain")).to_have_value("https://shop.example")

    alices.get_by_label("Japan (JP)").fill("8.50")
    alices.get_by_role("button", name="Save settings").click()
    expect(alices.locator("#web_domain-error")).to_contain_text("Leave out the https://")
    expect(alices.get_by_label("Japan (JP)")).to_have_value("8.50")
    expect(alices.get_by_label("Autofill on your web site")).to_be_checked()

    alices.get_by_label("Domain").fill("shop.example")
    alices.get_by_role("button", name="Save settings").click()
    expect(alices.get_by_text("New messages follow these settings")).to_be_visible()
    expect(alices.get_by_text("@shop.example #482913")).to_be_visible()
    app = session.get(App, shop.id, populate_existing=True)
    assert (app.web_autofill, app.web_domain, app.currency) == (True, "shop.example", "JPY")
    assert segment_prices.of(session, shop.id) == {"JP": 8_500_000}


def test_settings_are_changed_by_the_keyboard_alone(alices: Page, shop):
    alices.goto(f"/apps/{shop.id}/sms-settings")
    tab_to(alices, alices.get_by_label("Autofill in your Android app"))
    alices.keyboard.press("Space")
    tab_to(alices, alices.get_by_label("Hash of the Android app"))
    alices.keyboard.type("FA+9qCX9VSu")
    tab_to(alices, alices.get_by_role("button", name="Save settings"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_text("New messages follow these settings")).to_be_visible()
    expect(alices.get_by_label("Autofill in your Android app")).to_be_checked()
