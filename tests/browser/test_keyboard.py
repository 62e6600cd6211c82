"""Can everything be done with the keyboard alone, and does the person always see where they are?"""

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.models import App

pytestmark = pytest.mark.browser

# Longer than the longest way: the country list is one stop on it, its boxes are not passed here.
LONGEST_WAY = 40
# What has the focus, and whether it shows: an outline of its own or of its row, within the window.
SEEN = """() => {
    const here = document.activeElement;
    if (!here || here === document.body) return "nothing has the focus";
    const place = here.getBoundingClientRect();
    if (place.bottom <= 0 || place.top >= innerHeight || place.width === 0) return "it is out of sight";
    const looks = [getComputedStyle(here), getComputedStyle(here, "::after")];
    const outlined = looks.some((look) => look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 1);
    return outlined ? "" : `it shows no focus: ${here.outerHTML.slice(0, 120)}`;
}"""


def test_the_first_stop_skips_the_rail(alices, shop):
    alices.goto(f"/apps/{shop.id}/access-keys")
    alices.keyboard.press("Tab")
    skip = alices.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    alices.keyboard.press("Enter")
    expect(alices.locator("#content")).to_be_focused()
    alices.keyboard.press("Tab")
    assert alices.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_rail_leads_everywhere_and_every_stop_shows(alices, shop):
    alices.goto(f"/apps/{shop.id}")
    for page in ("Inbox", "Users", "SMS templates", "Verification", "Access keys", "Overview"):
        link = alices.get_by_role("navigation", name="Portal").get_by_role("link", name=page, exact=True)
        tab_to(alices, link)
        alices.keyboard.press("Enter")
        expect(link).to_have_attribute("aria-current", "page")


def test_the_app_switcher_opens_and_leads_on(alices, shop):
    alices.goto(f"/apps/{shop.id}/users")
    tab_to(alices, alices.locator(".rail-switcher summary"))
    alices.keyboard.press("Space")
    tab_to(alices, alices.get_by_role("link", name="All apps"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="Apps", level=1)).to_be_visible()


def test_the_menu_of_a_phone_takes_the_focus_and_gives_it_back(alices, shop):
    alices.set_viewport_size({"width": 360, "height": 740})
    alices.goto(f"/apps/{shop.id}")
    menu = alices.get_by_role("link", name="Menu")
    tab_to(alices, menu)
    alices.keyboard.press("Enter")
    expect(alices.locator("#rail")).to_be_focused()
    tab_to(alices, alices.get_by_role("link", name="Users", exact=True))
    alices.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(alices.locator("#rail")).to_be_hidden()


def test_verification_is_switched_and_undone_and_the_focus_stays(alices, shop, session):
    alices.goto(f"/apps/{shop.id}/verification")
    switch = alices.get_by_role("switch", name="Phone verification")
    tab_to(alices, switch)
    alices.keyboard.press("Space")
    expect(alices.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(switch).not_to_be_checked()
    expect(switch).to_be_focused()
    assert_focus_shows(alices)
    assert session.get(App, shop.id).phone_number_verification_required is False

    alices.keyboard.press("Tab")
    expect(alices.get_by_role("button", name="Undo")).to_be_focused()
    assert_focus_shows(alices)
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    expect(switch).to_be_checked()
    expect(switch).to_be_focused()
    assert session.get(App, shop.id).phone_number_verification_required is True


def test_a_refused_form_takes_the_focus_to_what_is_wrong(alices):
    alices.goto("/apps/new")
    tab_to(alices, alices.get_by_label("Name"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("alert")).to_be_focused()
    alices.keyboard.press("Tab")
    expect(alices.get_by_role("alert").get_by_role("link", name="Name")).to_be_focused()
    alices.keyboard.press("Enter")
    expect(alices.get_by_label("Name")).to_be_focused()


def test_an_app_is_created(alices):
    alices.goto("/apps/new")
    tab_to(alices, alices.get_by_label("Name"))
    alices.keyboard.type("Tea house")
    tab_to(alices, alices.get_by_label("Home country"))
    alices.keyboard.type("Japan")
    expect(alices.get_by_label("Home country")).to_have_value("JP")
    tab_to(alices, alices.get_by_role("button", name="Create app"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="Tea house is ready")).to_be_visible()
    tab_to(alices, alices.get_by_role("button", name="Copy the ClientSecret"))
    tab_to(alices, alices.get_by_role("link", name="I have stored it"))


def test_a_template_is_worded_and_the_preview_leaves_the_focus_alone(alices, shop):
    alices.goto(f"/apps/{shop.id}/sms-templates/en")
    text = alices.get_by_label("Text")
    tab_to(alices, text)
    alices.keyboard.press("Control+A")
    alices.keyboard.type("{code} for {app_name}")
    expect(alices.locator(".bubble")).to_have_text("482913 for Shop")
    expect(text).to_be_focused()
    alices.keyboard.type(" {code}")
    tab_to(alices, alices.get_by_role("button", name="Save English"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("alert").filter(has_text="Keep {code} once.")).to_be_focused()
    expect(text).to_have_value("{code} for {app_name} {code}")
    alices.keyboard.press("Tab")
    expect(alices.get_by_role("button", name="Take it out {code}")).to_be_focused()
    alices.keyboard.press("Enter")
    expect(text).to_be_focused()
    expect(text).to_have_value("{code} for {app_name} ")


def test_arrow_keys_move_between_the_rows_of_users(alices, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    rows = alices.locator("a.row-target")
    tab_to(alices, rows.first)
    for _ in range(12):
        alices.keyboard.press("ArrowDown")
    expect(rows.nth(12)).to_be_focused()
    assert_focus_shows(alices)
    alices.keyboard.press("ArrowUp")
    expect(rows.nth(11)).to_be_focused()
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name=crowd[-12].login_name, level=1)).to_be_visible()


def test_the_rows_go_on_where_more_are_loaded(alices, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    rows = alices.locator("a.row-target")
    rows.nth(49).focus()
    # The end of the rows comes into sight with the last row, and the next fifty follow it.
    expect(rows).to_have_count(100)
    expect(rows.nth(49)).to_be_focused()
    alices.keyboard.press("ArrowDown")
    expect(rows.nth(50)).to_be_focused()
    assert_focus_shows(alices)


def test_a_search_keeps_the_focus_while_results_come_in(alices, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    box = alices.get_by_role("searchbox", name="Search users")
    tab_to(alices, box)
    alices.keyboard.type("person117")
    expect(alices.locator("a.row-target")).to_have_text(["person117"])
    expect(box).to_be_focused()
    expect(box).to_have_value("person117")
    tab_to(alices, alices.locator("a.row-target"))
    alices.keyboard.press("Enter")
    expect(alices.get_by_role("heading", name="person117", level=1)).to_be_visible()


def tab_to(page: Page, goal: Locator) -> None:
    """Presses Tab until `goal` has the focus; every stop on the way must show itself."""
    for _ in range(LONGEST_WAY):
        page.keyboard.press("Tab")
        assert_focus_shows(page)
        if goal.evaluate("part => part === document.activeElement"):
            return
    raise AssertionError(f"{LONGEST_WAY} times Tab do not lead to {goal}")


def assert_focus_shows(page: Page) -> None:
    """Fails with what is wrong about the place of the focus."""
    assert page.evaluate(SEEN) == ""


def test_a_slash_leads_to_the_search_box_and_is_a_slash_while_writing(alices, shop):
    alices.goto(f"/apps/{shop.id}/users")
    box, hint = alices.get_by_role("searchbox", name="Search users"), alices.locator(".search-box kbd")
    expect(hint).to_be_visible()
    alices.keyboard.press("/")
    expect(box).to_be_focused()
    expect(hint).to_be_hidden()
    expect(box).to_have_value("")
    alices.keyboard.type("a/b")
    expect(box).to_have_value("a/b")
    expect(alices.get_by_text("Looked for: ")).to_contain_text("a/b")

    alices.get_by_text("More filters").click()
    alices.get_by_label("Language").focus()
    alices.keyboard.press("/")
    expect(box).not_to_be_focused()


def test_a_slash_with_another_key_or_without_a_box_is_left_to_the_browser(alices, shop):
    alices.goto(f"/apps/{shop.id}/users")
    alices.keyboard.press("Control+/")
    expect(alices.get_by_role("searchbox", name="Search users")).not_to_be_focused()
    alices.goto(f"/apps/{shop.id}")
    alices.keyboard.press("/")
    assert alices.evaluate("document.activeElement === document.body")


def test_after_a_search_by_enter_the_arrows_lead_into_what_was_found(alices, shop, crowd):
    alices.goto(f"/apps/{shop.id}/users")
    box = alices.get_by_role("searchbox", name="Search users")
    tab_to(alices, box)
    alices.keyboard.type("person11")
    with alices.expect_navigation():
        alices.keyboard.press("Enter")
    expect(box).to_be_focused()
    rows = alices.locator("a.row-target")
    for at in (0, 1):
        alices.keyboard.press("ArrowDown")
        expect(rows.nth(at)).to_be_focused()
        assert_focus_shows(alices)
