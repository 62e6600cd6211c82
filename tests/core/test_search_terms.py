"""A search box takes a number as people write it, and no text whatever makes it fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import search_terms
from portal.core.search_terms import LONGEST, Meaning, is_number, understand

FULL = "+819012345678"
USER_ID = "0123456789ab-cdef-0123-4567-89abcdef"

WHOLE = [
    "+819012345678",
    "+81 90 1234 5678",
    "+81-90-1234-5678",
    "+81.90.1234.5678",
    "+81 (90) 1234-5678",
    "+81 (0)90-1234-5678",
    "+81 090 1234 5678",
    "  +819012345678  ",
    "＋８１９０１２３４５６７８",
    "＋８１ー９０ー１２３４ー５６７８",
    "+81–90–1234–5678",
    "+81\u00a090\u00a01234\u00a05678",
    "+٨١٩٠١٢٣٤٥٦٧٨",
    "+८१९०१२३४५६७८",
]
ENDINGS = {
    "819012345678": "819012345678",
    "0081 90 1234 5678": "819012345678",
    "09012345678": "9012345678",
    "090-1234-5678": "9012345678",
    "(090) 1234 5678": "9012345678",
    "０９０１２３４５６７８": "9012345678",
    "0901-2345678": "9012345678",
    "1234 5678": "12345678",
    "5678": "5678",
    "0678": "0678",
    "0000": "0000",
    "678": "678",
    "000000": "000000",
}


@pytest.mark.parametrize("text", WHOLE)
def test_a_whole_number_is_understood_in_every_style(text):
    term = understand(text)
    assert (term.meaning, term.value) == (Meaning.PHONE_NUMBER, FULL)


@pytest.mark.parametrize(("text", "value"), ENDINGS.items())
def test_a_national_number_or_its_last_digits_is_an_ending(text, value):
    term = understand(text)
    assert (term.meaning, term.value) == (Meaning.PHONE_NUMBER_ENDING, value)


@pytest.mark.parametrize("text", ["+819", "+8190", "+819012", "+447400"])
def test_ten_08_a_plus_with_a_few_digits_is_a_beginning_of_four_at_most(text):
    term = understand(text)
    assert (term.meaning, term.value) == (Meaning.PHONE_NUMBER, text[:5])
    assert term.sentence == f"phone number beginning with {text[:5]}"
    assert not term.is_whole_number


@pytest.mark.parametrize("text", ["+819012345678", "+8190123456", "09012345678", "819012345678", "2345678"])
def test_ten_08_more_than_six_digits_are_the_whole_number(text):
    term = understand(text)
    assert term.is_whole_number
    assert term.sentence == f"the whole phone number {term.value}"


@pytest.mark.parametrize(
    ("digits", "matches"),
    [("9012345678", True), ("819012345678", True), ("012345678", False), ("12345678", False)],
)
def test_ten_08_a_longer_end_of_a_number_is_not_that_number(digits, matches):
    assert is_number("+819012345678", digits) is matches


@pytest.mark.parametrize(
    ("text", "meaning", "value"),
    [
        ("", Meaning.EVERYBODY, ""),
        (" \t\u3000 ", Meaning.EVERYBODY, ""),
        (USER_ID, Meaning.USER_ID, USER_ID),
        (f" {USER_ID.upper()} ", Meaning.USER_ID, USER_ID),
        ("alice@example.com", Meaning.EMAIL, "alice@example.com"),
        ("alice@", Meaning.EMAIL, "alice@"),
        ("alice", Meaning.NAME, "alice"),
        ("Cafe\u0301", Meaning.NAME, "Café"),
        ("12", Meaning.NAME, "12"),
        ("+", Meaning.NAME, "+"),
        ("+81", Meaning.NAME, "+81"),
        ("++819012345678", Meaning.NAME, "++819012345678"),
        ("90+12345678", Meaning.NAME, "90+12345678"),
        ("1" * 16, Meaning.NAME, "1" * 16),
        ("9012345678x5", Meaning.NAME, "9012345678x5"),
        ("1800CALLNOW", Meaning.NAME, "1800CALLNOW"),
        ("²³⁴⁵", Meaning.NAME, "²³⁴⁵"),
        (USER_ID[:-1], Meaning.NAME, USER_ID[:-1]),
    ],
)
def test_a_term_means_what_it_looks_like(text, meaning, value):
    term = understand(text)
    assert (term.meaning, term.value) == (meaning, value)


@pytest.mark.parametrize("text", ["\0", "alice\0", "\ud800", "a\udfffb@example.com", "+81901234\x005678"])
def test_text_that_no_database_holds_finds_nobody(text):
    assert understand(text).meaning is Meaning.NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "' OR 1=1 --",
        "%",
        "_____",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "\u202e8765432190",
        "a\nb",
        "\U0010ffff",
        "x" * 10**6,
    ],
)
def test_hostile_text_is_a_name_like_any_other_and_never_longer_than_a_column(text):
    term = understand(text)
    assert term.meaning is Meaning.NAME
    assert len(term.value) <= LONGEST
    assert term.value == text[:LONGEST]


@given(st.text(st.characters(), max_size=300))
def test_no_term_is_an_error_and_each_says_how_it_was_understood(text):
    term = understand(text)
    assert len(term.value) <= LONGEST
    assert bool(term.sentence) == (term.meaning is not Meaning.EVERYBODY)


@given(st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True))
def test_digits_are_always_a_number_and_never_become_empty(digits):
    term = search_terms.understand(digits)
    assert term.meaning in (Meaning.PHONE_NUMBER, Meaning.PHONE_NUMBER_ENDING)
    assert term.value
