"""Can everybody read every page? axe-core in light and dark, on a desk and on a phone, nothing cut off."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from flask import Flask
from playwright.sync_api import Page, expect

from portal.web.assets import STATIC_ENDPOINTS
from tests.browser.chromium import Watch
from tests.browser.lives import LONGEST_LOGIN_NAME

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Without a reporter of its own, axe-core tells at length about everything that is right.
RUN_AXE = "rules => axe.run(document, {runOnly: rules, reporter: 'no-passes', preload: false})"
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
# How far the page is wider than the screen, and what sticks out (px).
STICKS_OUT = """() => {
    const room = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll("main *")].filter(
        (part) => part.checkVisibility() && part.getBoundingClientRect().right > room + 1
            && !part.closest(".unseen, [aria-hidden], thead"));
    const over = document.documentElement.scrollWidth - room;
    return {over, parts: wide.map((part) => part.outerHTML.slice(0, 120))};
}"""

COLOURS = """() => ["body", "h1", ".card", ".muted", "input", ".btn-primary", ".rail"].map((part) => {
    const seen = getComputedStyle(document.querySelector(part));
    return `${part} ${seen.color} ${seen.backgroundColor} ${seen.borderColor}`;
})"""


@dataclass
class Scene:
    """What a case needs to come to its page: the tab, and the addresses in the town."""

    page: Page
    watch: Watch
    shop: str
    changing: str
    phone_full: Callable[[int], None] = field(repr=False)
    fail_one: Callable[[], None] = field(repr=False)
    audit_full: Callable[[int], None] = field(repr=False)
    one_look_up: Callable[[], None] = field(repr=False)
    # The shop's carriers, by their ids, and the id of a message that was set aside.
    carriers: list[str]
    dead: str

    def open(self, path: str) -> None:
        """Opens a page of the shop."""
        self.page.goto(f"{self.shop}{path}")


def a_refused_new_app(scene: Scene) -> None:
    scene.page.goto("/apps/new")
    scene.page.get_by_role("button", name="Create app").click()
    expect(scene.page.get_by_text("Give the app a name.").first).to_be_visible()


def an_app_just_created(scene: Scene) -> None:
    scene.page.goto("/apps/new")
    scene.page.get_by_label("Name").fill("مقهى")
    scene.page.get_by_label("Home country").select_option("EG")
    scene.page.get_by_role("button", name="Create app").click()
    expect(scene.page.get_by_role("heading", name="ClientSecret")).to_be_visible()


def a_switch_just_switched(scene: Scene) -> None:
    scene.open("/verification")
    scene.page.get_by_role("switch").uncheck()
    expect(scene.page.get_by_role("button", name="Undo")).to_be_visible()


def refused_settings(scene: Scene) -> None:
    scene.open("/verification")
    scene.page.get_by_label("Code length").fill("99")
    for box in scene.page.locator("#country-list input:checked").all():
        box.uncheck()
    scene.page.get_by_role("button", name="Save settings").click()
    expect(scene.page.get_by_text("Keep at least one country open.").first).to_be_visible()


def a_refused_template(scene: Scene) -> None:
    scene.open("/sms-templates/ja")
    scene.page.get_by_label("Text").fill("Код {kode} – “{{code}}” " + "é" * 140)
    scene.page.get_by_role("button", name="Save Japanese").click()
    expect(scene.page.locator("#body[aria-invalid]")).to_be_visible()


def a_template_in_two_parts(scene: Scene) -> None:
    scene.open("/sms-templates/ar")
    text = scene.page.get_by_label("Text")
    text.fill(text.input_value() + " شكرا لك" * 6)
    expect(scene.page.locator(".bubble-part")).to_have_count(2)


def a_refused_language(scene: Scene) -> None:
    scene.open("/sms-templates/new?locale=nonsense-tag-")
    expect(scene.page.locator("#locale[aria-invalid]")).to_be_visible()


def a_language_found_by_typing(scene: Scene) -> None:
    scene.open("/sms-templates/new")
    scene.page.get_by_role("searchbox").fill("arab")
    expect(scene.page.get_by_role("heading", name="found")).to_be_visible()


def a_refused_simulation(scene: Scene) -> None:
    scene.open("/sms-templates/simulator?locale=nonsense-tag-")
    expect(scene.page.locator("#locale[aria-invalid]")).to_be_visible()


def refused_sms_settings(scene: Scene) -> None:
    scene.open("/sms-settings")
    scene.page.get_by_label("Autofill on your web site").check()
    scene.page.get_by_label("A second owner approves each change").check()
    scene.page.get_by_label("Japan (JP)").fill("cheap")
    scene.page.get_by_role("button", name="Save settings").click()
    expect(scene.page.locator("#price_JP[aria-invalid]")).to_be_visible()


def a_saved_template(scene: Scene) -> None:
    scene.open("/sms-templates/ja")
    scene.page.get_by_role("button", name="Save Japanese").click()
    expect(scene.page.locator("#notices").get_by_role("status")).to_be_visible()


def no_such_user_found(scene: Scene) -> None:
    scene.open("/users?q=zzzz&verified=no&status=disabled")
    expect(scene.page.locator("#results").get_by_text("No user matches")).to_be_visible()


def users_found_by_four_digits(scene: Scene) -> None:
    scene.open("/users?q=5678")
    expect(scene.page.get_by_text("Looked for")).to_be_visible()


def a_pending_number_found_with_every_filter_in_sight(scene: Scene) -> None:
    scene.open("/users?q=4321&country=JP&since=2026-01-01")
    scene.page.get_by_text("More filters").click()
    expect(scene.page.get_by_label("Language")).to_be_visible()
    expect(scene.page.get_by_text("matches")).to_be_visible()


def too_many_look_ups(scene: Scene) -> None:
    scene.watch.expects(429)
    scene.one_look_up()
    scene.open("/users?q=4321")
    scene.open("/users?q=432")
    expect(scene.page.get_by_text("Nothing was looked up.")).to_be_visible()


def a_user_with_every_detail_in_sight(scene: Scene) -> None:
    scene.audit_full(8)
    scene.open(f"/users/{scene.changing}")
    details = scene.page.locator("main details")
    for each in details.all():
        each.locator("summary").click()
    expect(scene.page.locator("main details[open]")).not_to_have_count(0)
    expect(scene.page.locator("main details:not([open])")).to_have_count(0)


def a_disabled_user(scene: Scene) -> None:
    scene.open("/users?status=disabled")
    scene.page.locator("a.row-target").click()
    expect(scene.page.get_by_text("Nothing logs in right now")).to_be_visible()


def an_action_without_a_reason(scene: Scene) -> None:
    scene.open(f"/users/{scene.changing}/actions/free-number")
    scene.page.get_by_role("button", name="Free the number").click()
    expect(scene.page.locator("#reason[aria-invalid]")).to_be_focused()


def an_action_that_makes_no_sense(scene: Scene) -> None:
    scene.watch.expects(409)
    scene.open(f"/users/{scene.changing}/actions/enable")
    expect(scene.page.get_by_text("There is nothing to do here.")).to_be_visible()


def a_reveal_without_a_reason(scene: Scene) -> None:
    scene.open(f"/users/{scene.changing}/reveal")
    scene.page.get_by_role("button", name="Reveal").click()
    expect(scene.page.locator("#reason[aria-invalid]")).to_be_focused()


def revealed_numbers(scene: Scene) -> None:
    scene.open(f"/users/{scene.changing}/reveal")
    scene.page.get_by_label("Reason").fill("The carrier asks.")
    scene.page.get_by_role("button", name="Reveal").click()
    expect(scene.page.get_by_text("+81 90-1234-5678")).to_be_visible()


def an_inbox_with_more_than_a_page(scene: Scene) -> None:
    scene.phone_full(31)
    scene.open("/inbox")
    expect(scene.page.locator("#messages li")).to_have_count(30)


def an_unconfirmed_new_secret(scene: Scene) -> None:
    scene.open("/access-keys")
    scene.page.get_by_role("button", name="Reset ClientSecret").click()
    expect(scene.page.locator("#confirmation[aria-invalid]")).to_be_visible()


def a_new_secret(scene: Scene) -> None:
    scene.open("/access-keys")
    scene.page.get_by_label("Type reset").fill("reset")
    scene.page.get_by_role("button", name="Reset ClientSecret").click()
    expect(scene.page.locator("#client-secret")).to_be_visible()


def the_drawer_and_the_app_switcher(scene: Scene) -> None:
    scene.open("#rail")
    scene.page.locator("details.rail-switcher summary").click()
    expect(scene.page.get_by_role("link", name="All apps")).to_be_visible()


def a_page_that_is_not_there(scene: Scene) -> None:
    scene.page.goto("/apps/nothing")
    expect(scene.page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def an_empty_app(scene: Scene) -> None:
    an_app_just_created(scene)
    scene.page.get_by_role("link", name="I have stored it").click()
    expect(scene.page.get_by_role("heading", name="مقهى")).to_be_visible()


def no_users_yet(scene: Scene) -> None:
    an_empty_app(scene)
    scene.page.get_by_role("link", name="Users", exact=True).click()
    expect(scene.page.get_by_text("Nobody has signed up yet")).to_be_visible()


def an_empty_inbox(scene: Scene) -> None:
    an_empty_app(scene)
    scene.page.get_by_role("link", name="Inbox", exact=True).click()
    expect(scene.page.get_by_text("No SMS yet")).to_be_visible()


def messages_of_all_kinds(scene: Scene) -> None:
    scene.fail_one()
    scene.open("/messages")
    expect(scene.page.get_by_role("link", name="Try 2 failed ones again")).to_be_visible()


def no_messages_yet(scene: Scene) -> None:
    an_empty_app(scene)
    scene.page.get_by_role("link", name="Messages", exact=True).click()
    expect(scene.page.get_by_text("No SMS yet")).to_be_visible()


def more_messages_than_a_page(scene: Scene) -> None:
    scene.phone_full(60)
    scene.open("/messages")
    expect(scene.page.get_by_role("link", name="Show 50 more")).to_be_attached()


def messages_that_failed(scene: Scene) -> None:
    scene.fail_one()
    scene.open("/messages?outcome=failed&country=JP")
    expect(scene.page.get_by_role("link", name="Clear")).to_be_visible()
    expect(scene.page.locator("#messages tbody tr[id]")).not_to_have_count(0)


def no_such_message(scene: Scene) -> None:
    scene.open("/messages?outcome=delivered&country=DE&reason=no_provider")
    expect(scene.page.get_by_text("No message matches")).to_be_visible()


def a_retry_without_a_reason(scene: Scene) -> None:
    scene.fail_one()
    scene.open("/messages/retries")
    scene.page.get_by_role("button", name="Send 2 SMS").click()
    expect(scene.page.locator("#reason[aria-invalid]")).to_be_focused()


def a_redrive_without_a_reason(scene: Scene) -> None:
    scene.open(f"/messages/{scene.dead}/retry")
    scene.page.get_by_role("button", name="Try this SMS again").click()
    expect(scene.page.locator("#reason[aria-invalid]")).to_be_focused()


def more_entries_than_a_page(scene: Scene) -> None:
    scene.audit_full(60)
    scene.open("/audit")
    expect(scene.page.get_by_role("link", name="Show 50 more")).to_be_attached()


def entries_of_one_user(scene: Scene) -> None:
    scene.audit_full(3)
    scene.open(f"/audit?user={scene.changing}")
    expect(scene.page.locator("#entries tbody tr[id]")).to_have_count(5)


def no_such_entry(scene: Scene) -> None:
    scene.open("/audit?kind=keys&actor=system&from=2026-01-01")
    expect(scene.page.get_by_text("No entry matches")).to_be_visible()


def no_providers_yet(scene: Scene) -> None:
    an_empty_app(scene)
    scene.page.get_by_role("link", name="Provider", exact=True).click()
    expect(scene.page.get_by_text("No provider yet.")).to_be_visible()


def a_refused_provider(scene: Scene) -> None:
    scene.open("/provider/new/http")
    scene.page.get_by_label("Name", exact=True).fill("")
    scene.page.get_by_label("Address", exact=True).fill("http://127.0.0.1/")
    scene.page.get_by_label("Secret").fill("secret")
    scene.page.get_by_role("button", name="Add HTTP request").click()
    expect(scene.page.locator("[aria-invalid]")).not_to_have_count(0)


def a_provider_that_was_moved(scene: Scene) -> None:
    scene.open("/provider")
    scene.page.locator(f"#down-{scene.carriers[0]}").click()
    expect(scene.page.locator(".providers-line").nth(1)).to_have_id(f"provider-{scene.carriers[0]}")


def checked_credentials(scene: Scene) -> None:
    scene.open(f"/provider/{scene.carriers[0]}")
    scene.page.get_by_role("button", name="Check credentials").click()
    expect(scene.page.locator("#check-result")).to_be_visible()


def a_live_app_whose_provider_is_paused(scene: Scene) -> None:
    scene.open("/provider/live")
    scene.page.get_by_role("button", name="Go live").click()
    expect(scene.page.locator(".status-line").first).to_be_visible()
    scene.open("/users")
    expect(scene.page.get_by_role("link", name="See the providers")).to_be_visible()


def a_live_app_without_a_provider(scene: Scene) -> None:
    a_live_app_whose_provider_is_paused(scene)
    scene.open("/provider")
    for at in (0, 1):
        line = scene.page.locator(f"#provider-{scene.carriers[at]}")
        line.get_by_role("switch").uncheck()
        expect(line.get_by_text("Off", exact=True)).to_be_visible()
    expect(scene.page.get_by_text("Nowhere: no provider is on.")).to_be_visible()


def the_last_provider_about_to_be_removed(scene: Scene) -> None:
    a_live_app_without_a_provider(scene)
    line = scene.page.locator(f"#provider-{scene.carriers[2]}")
    line.get_by_role("switch").check()
    expect(line.get_by_text("On", exact=True)).to_be_visible()
    scene.open(f"/provider/{scene.carriers[2]}/removal")
    expect(scene.page.get_by_text("No provider is left that is on")).to_be_visible()


# Every page by its endpoint; a page without a line here fails the test below.
PAGES = {
    "security.login": None,
    "apps.index": "/apps",
    "apps.new": "/apps/new",
    "apps.show": "{shop}",
    "inbox.show": "{shop}/inbox",
    "users.index": "{shop}/users",
    "users.show": "{shop}/users/{changing}",
    "user_actions.ask": "{shop}/users/{changing}/actions/resend",
    "user_actions.ask_to_mark_verified": "{shop}/users/{changing}/actions/mark-verified",
    "user_actions.ask_to_erase": "{shop}/users/{changing}/actions/erase",
    "reveals.ask": "{shop}/users/{changing}/reveal",
    "messages.index": "{shop}/messages",
    "message_retries.ask": "{shop}/messages/retries",
    "message_redrives.ask": "{shop}/messages/{dead}/retry",
    "audit_log.index": "{shop}/audit",
    "sms_templates.index": "{shop}/sms-templates",
    "sms_templates.new": "{shop}/sms-templates/new",
    "sms_templates.edit": "{shop}/sms-templates/ja",
    "locale_simulator.show": "{shop}/sms-templates/simulator?locale=zh-Hant-HK",
    "sms_settings.show": "{shop}/sms-settings",
    "test_sends.show": "{shop}/sms-templates/ja/test",
    "sms_template_versions.index": "{shop}/sms-templates/ja/versions",
    "sms_template_versions.show": "{shop}/sms-templates/ja/versions/1",
    # test_template_studio_versions.py has a draft to look at.
    "sms_template_drafts.show": None,
    "sms_template_files.choose": "{shop}/sms-templates/import",
    "verifications.show": "{shop}/verification",
    "providers.index": "{shop}/provider",
    "providers.new": "{shop}/provider/new",
    "providers.new_of": "{shop}/provider/new/http",
    "providers.show": "{shop}/provider/{carrier}",
    "provider_actions.ask_to_remove": "{shop}/provider/{carrier}/removal",
    "app_modes.ask_to_go_live": "{shop}/provider/live",
    "app_modes.ask_to_go_back": "{shop}/provider/sandbox",
    "access_keys.show": "{shop}/access-keys",
    # test_access_keys.py has two keys to end one of.
    "access_keys.ask_to_end": None,
    "accounts.show": "/account",
    "accounts.new_passkey": "/account/passkeys/new",
    # test_second_factors.py sets an app up, and comes half-way through a sign-in.
    "accounts.show_app": None,
    "second_steps.show": None,
    "password_resets.ask": "/password-reset",
    # test_password_resets.py has a link.
    "password_resets.show": None,
    "team.index": "{shop}/team",
    "team.new": "{shop}/team/invites/new",
    # test_team.py has members and invites to look at.
    "team.member": None,
    "invites.show": None,
    # test_step_up.py waits eleven minutes first.
    "confirmations.show": None,
}
# These only lead to another page, or to the page of a refusal.
LEADS_ELSEWHERE = {"apps.start", "security.verify"}
FILES = STATIC_ENDPOINTS | {"security.static", "sms_template_files.export", "receipts.take"}
FILES |= {"security_contacts.show"}
STATES = [
    a_refused_new_app,
    an_app_just_created,
    an_empty_app,
    a_switch_just_switched,
    refused_settings,
    a_refused_template,
    a_template_in_two_parts,
    a_refused_language,
    a_language_found_by_typing,
    a_refused_simulation,
    refused_sms_settings,
    a_saved_template,
    no_such_user_found,
    users_found_by_four_digits,
    a_pending_number_found_with_every_filter_in_sight,
    too_many_look_ups,
    a_user_with_every_detail_in_sight,
    a_disabled_user,
    no_users_yet,
    an_action_without_a_reason,
    an_action_that_makes_no_sense,
    a_reveal_without_a_reason,
    revealed_numbers,
    messages_of_all_kinds,
    no_messages_yet,
    more_messages_than_a_page,
    messages_that_failed,
    no_such_message,
    a_retry_without_a_reason,
    a_redrive_without_a_reason,
    more_entries_than_a_page,
    entries_of_one_user,
    no_such_entry,
    no_providers_yet,
    a_refused_provider,
    a_provider_that_was_moved,
    checked_credentials,
    a_live_app_whose_provider_is_paused,
    a_live_app_without_a_provider,
    the_last_provider_about_to_be_removed,
    an_inbox_with_more_than_a_page,
    an_empty_inbox,
    an_unconfirmed_new_secret,
    a_new_secret,
    the_drawer_and_the_app_switcher,
    a_page_that_is_not_there,
]


def test_every_page_has_a_case_here(app: Flask):
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set()) and not rule.rule.startswith("/api")
    }

    assert pages - FILES - LEADS_ELSEWHERE == set(PAGES)


@pytest.mark.parametrize("endpoint", [endpoint for endpoint, path in PAGES.items() if path])
def test_every_page_can_be_read_by_everybody(scene, endpoint):
    there = {"shop": scene.shop, "changing": scene.changing, "carrier": scene.carriers[1]}
    there["dead"] = scene.dead
    scene.page.goto(PAGES[endpoint].format(**there))

    assert_everybody_can_read(scene.page, scene.watch)


@pytest.mark.parametrize("comes_to", STATES, ids=lambda state: state.__name__)
def test_every_state_of_a_page_can_be_read_by_everybody(scene, comes_to):
    scene.watch.expects(404)
    comes_to(scene)

    assert_everybody_can_read(scene.page, scene.watch)


def test_the_sign_in_page_can_be_read_by_everybody_refused_or_not(page, watch):
    page.goto("/sign-in")
    assert_everybody_can_read(page, watch)
    page.get_by_label("E-mail address").fill("nobody@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_focused()

    assert_everybody_can_read(page, watch)


def test_a_long_list_of_users_can_be_read_by_everybody(alices, watch, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    expect(alices.get_by_role("link", name="Show 50 more")).to_be_attached()

    assert_everybody_can_read(alices, watch)


def test_support_can_read_the_page_that_support_may_not_open(page, watch, sign_in, bob, shop):
    watch.expects(403)
    sign_in(page, bob)
    page.goto(f"/apps/{shop.id}/access-keys")
    expect(page.get_by_role("heading", name="You may not open this")).to_be_visible()

    assert_everybody_can_read(page, watch)


def test_a_chosen_theme_looks_as_the_systems_does(scene):
    scene.open("/verification")
    looks = {scheme: look(scene.page, scheme) for scheme in ("light", "dark")}
    for chosen, other in (("Dark", "light"), ("Light", "dark")):
        scene.page.get_by_role("button", name=chosen).click()
        expect(scene.page.get_by_role("button", name=chosen)).to_have_attribute("aria-pressed", "true")
        assert look(scene.page, other) == looks[chosen.lower()]
    assert looks["light"] != looks["dark"]


def look(page: Page, scheme: str) -> list[str]:
    """The colours of some parts while the system asks for a scheme."""
    page.emulate_media(color_scheme=scheme)
    return page.evaluate(COLOURS)


def assert_everybody_can_read(page: Page, watch: Watch) -> None:
    """Fails with every violation and every part that sticks out, in all four variants of the loaded page."""
    watch.must_be_calm()
    page.evaluate(AXE_SCRIPT)
    found = [problem for variant in _variants(page) for problem in _problems(page, variant)]
    assert found == [], "\n".join(found)


def _variants(page: Page) -> Iterator[str]:
    for size in (DESK, PHONE):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            yield f"{size['width']} px {scheme}"


def _problems(page: Page, variant: str) -> Iterator[str]:
    told = AxeResults(page.evaluate(RUN_AXE, RULES))
    if told.violations_count:
        yield f"{variant}: {told.generate_report()}"
    out = page.evaluate(STICKS_OUT)
    if out["over"] > 0:
        yield f"{variant}: the page is {out['over']} px too wide: {out['parts']}"


@pytest.fixture
def scene(
    alices, watch, shop, town, phone_full, fail_one, audit_full, one_look_up, carriers, set_one_aside
) -> Scene:
    """Alice at her desk, and the town in her shop."""
    assert re.fullmatch(r"[A-Za-z0-9._-]{64}", LONGEST_LOGIN_NAME)
    phone_full(2)
    return Scene(
        alices,
        watch,
        f"/apps/{shop.id}",
        town["changing"].id,
        phone_full,
        fail_one,
        audit_full,
        one_look_up,
        [each.id for each in carriers],
        set_one_aside(),
    )
