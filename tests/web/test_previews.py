"""Does the phone beside the text say what a wording costs, and what would really make it cheaper? (TPL-02)"""

import html

import pytest


@pytest.fixture
def shown(alices, shop):
    """`shown(typed)` is what the preview of the English wording says of what is typed, as text."""

    def preview(typed):
        address = f"/apps/{shop.id}/sms-templates/en/preview"
        return html.unescape(alices.post(address, typed, headers={"HX-Request": "true"}).text)

    return preview


def test_tpl_02_the_preview_names_what_forces_ucs_2_and_what_to_swap(shown):
    text = shown({"body": "{code} – “x”"})

    assert "UCS-2" in text
    assert 'name="swap" value="–" data-with="-"' in text
    assert "Swap all 3" in text


@pytest.mark.parametrize(
    "body",
    ["{code} – “x” 😀", "«رمز» {code}", "{code}" + "…" * 52, "{code}" + "…" * 60],
    ids=["an emoji stays", "a script stays", "less room is left", "more segments"],
)
def test_tpl_02_no_swap_is_offered_that_would_gain_nothing(shown, body):
    text = shown({"body": body})

    assert "UCS-2" in text
    assert 'name="swap"' not in text


def test_tpl_02_what_stands_only_in_a_wrong_placeholder_is_not_offered(shown):
    assert 'name="swap"' not in shown({"body": "{code} {a–b}"})
    assert 'name="swap"' in shown({"body": "{code} – {a–b}"})


@pytest.mark.parametrize(
    ("body", "gain"),
    [
        ("{code} – " + "x" * 70, "without changing the meaning: 2 segments become 1."),
        (
            "{code} – “x”",
            "all of them without changing the meaning: it stays 1 segment, with room for 90 characters more.",
        ),
    ],
)
def test_tpl_02_an_offer_to_swap_says_what_is_gained(shown, body, gain):
    text = shown({"body": body})

    assert gain in text


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"body": "{code} – “x” 😀"}, "While it stays, swapping the other 3 characters saves nothing."),
        ({"body": "{code} – {app_name}", "sample_app_name": "Joe’s"}, "It stands in the app's name"),
        ({"body": "{code}" + "…" * 60}, "swapping it would save nothing here."),
    ],
)
def test_tpl_02_where_nothing_is_gained_the_preview_says_why(shown, typed, why):
    text = shown(typed)

    assert why in text
    assert 'name="swap"' not in text
