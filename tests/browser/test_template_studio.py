"""Is wording an SMS a pleasure? Chips, swaps and fixes in place, marks that keep up, all without a mouse."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def editor(alices: Page, shop) -> Page:
    """Alice's English template, open."""
    alices.goto(f"/apps/{shop.id}/sms-templates/en")
    return alices


def text_of(page: Page):
    return page.get_by_label("Text", exact=True)


def test_a_chip_inserts_its_placeholder_where_the_cursor_is(editor):
    text_of(editor).fill("Hi , bye")
    text_of(editor).evaluate("field => field.setSelectionRange(3, 3)")
    editor.get_by_role("button", name="{code}", exact=True).click()

    expect(text_of(editor)).to_have_value("Hi {code}, bye")
    expect(text_of(editor)).to_be_focused()
    expect(editor.locator("#preview .bubble")).to_have_text("Hi 482913, bye")
    assert text_of(editor).evaluate("field => field.selectionStart") == len("Hi {code}")


def test_one_click_swaps_a_character_everywhere_but_in_placeholders(editor):
    text_of(editor).fill("“{code}” – “x” {a–b}")
    editor.get_by_role("button", name="Swap – for -").click()
    expect(text_of(editor)).to_have_value("“{code}” - “x” {a–b}")

    editor.get_by_role("button", name="Swap “ for").click()
    expect(text_of(editor)).to_have_value('"{code}” - "x” {a–b}')


def test_all_characters_are_swapped_at_once_and_the_price_falls(editor):
    text_of(editor).fill("Hey… {code} is “yours” – keep\u00a0it")
    expect(editor.locator(".preview-measure")).to_contain_text("UCS-2")
    editor.get_by_role("button", name="Swap all").click()

    expect(text_of(editor)).to_have_value('Hey... {code} is "yours" - keep it')
    expect(editor.locator(".preview-measure")).to_contain_text("GSM-7")
    expect(editor.locator(".forcing")).to_have_count(0)


def test_what_is_wrong_is_marked_in_place_and_put_right_by_one_click_each(editor):
    text_of(editor).fill("😀 {Code}: {{minutes}} min, {code} }")
    expect(editor.locator("#marks mark")).to_have_text(["{Code}", "{{minutes}}", "}"])

    editor.get_by_role("button", name="Put it right {{minutes}}").click()
    expect(editor.locator("#marks mark")).to_have_text(["{Code}", "}"])
    editor.get_by_role("button", name="Take it out }").click()
    expect(editor.locator("#marks mark")).to_have_text(["{Code}"])
    editor.get_by_role("button", name="Put it right {Code}").click()
    expect(editor.locator("#marks mark")).to_have_text(["{code}"])
    editor.get_by_role("button", name="Take it out {code}").click()

    expect(text_of(editor)).to_have_value("😀 {code}: {minutes} min,  ")
    expect(editor.locator("#preview .is-bad")).to_have_count(0)


def test_the_marks_lie_exactly_under_the_text_and_scroll_with_it(editor):
    text_of(editor).fill("\n".join(["line"] * 30) + " {oops}")
    mark = editor.locator("#marks mark")
    expect(mark).to_have_text("{oops}")
    text_of(editor).evaluate("field => field.scrollTo(0, field.scrollHeight)")

    both = '["body", "marks"].map((id) => document.getElementById(id))'
    # A scroll is told with the next frame, and the marks follow then; where they stay behind, this times out.
    places = f"{both}.map((it) => it.scrollTop)"
    editor.wait_for_function(
        f"() => {{ const [text, marks] = {places}; return marks > 0 && marks === text }}"
    )
    look = ["fontFamily", "fontSize", "lineHeight", "paddingTop", "paddingInlineStart"]
    text, marks = editor.evaluate(
        f"(look) => {both}.map((it) => look.map((name) => getComputedStyle(it)[name]))", look
    )
    assert text == marks


def test_sample_values_change_what_the_phone_shows_while_typing(editor):
    editor.get_by_label("App name").fill("Café Ünïcode")
    editor.get_by_label("Code", exact=True).fill("000111")

    expect(editor.locator("#preview .bubble")).to_contain_text("000111 is your Café Ünïcode code")
    expect(editor.locator("#preview .phone-top")).to_contain_text("Café Ünïcode")


def test_a_draft_of_words_is_saved_with_its_note_by_keyboard_alone(editor, shop):
    text_of(editor).focus()
    editor.keyboard.press("Control+a")
    editor.keyboard.type("Code ")
    editor.keyboard.press("Tab")
    expect(editor.get_by_role("button", name="{code}", exact=True)).to_be_focused()
    editor.keyboard.press("Enter")
    expect(text_of(editor)).to_have_value("Code {code}")
    for _ in range(4):
        editor.keyboard.press("Tab")
    expect(editor.get_by_label("What changes, and why")).to_be_focused()
    editor.keyboard.type("Shorter")
    editor.keyboard.press("Enter")

    expect(editor.get_by_text("Saved English, version 2.")).to_be_visible()
    expect(text_of(editor)).to_have_value("Code {code}")


def test_right_to_left_texts_run_right_to_left_on_both_sides(alices, shop):
    alices.goto(f"/apps/{shop.id}/sms-templates/ar")
    direction = "element => getComputedStyle(element).direction"

    assert text_of(alices).evaluate(direction) == "rtl"
    assert alices.locator("#marks").evaluate(direction) == "rtl"
    assert alices.locator("#preview .bubble").evaluate(direction) == "rtl"
