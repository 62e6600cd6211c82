"""A search box takes a number as people write it, and no text whatever makes it fail."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import search_terms
from portal.core.search_terms import LONGEST, Meaning, understand

FULL = "+819012345678"
USER_ID = "0123456789ab-cdef-0123-4567-89abcdef"

# Twenty ways to write one number, all seen in address books, web pages and mails.
STYLES = [
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
    "\u202a+81 90-1234-5678\u202c",
    "tel:+81-90-1234-5678",
    "0081 90 1234 5678",
    "010 81 90 1234 5678",
    "819012345678",
    "09012345678",
    "090-1234-5678",
    "(090) 1234 5678",
    "090/1234/5678",
    "０９０（１２３４）５６７８",
    "90 1234 5678",
]
PARTS = {
    "5678": "5678",
    "1234 5678": "12345678",
    "0678": "0678",
    "0000": "0000",
    "678": "678",
    "000000": "000000",
    "0901234": "901234",
    "090-1234": "901234",
    "+8190": "+8190",
    "+81 ••• •••• 5678": "5678",
    "•••• 5678": "5678",
    "***5678": "5678",
    "…5678": "5678",
    "+81 (0)90": "+8190",
    "+819012": "+819012",
    "123456789012345678": "123456789012345678",
}


@pytest.mark.parametrize("text", STYLES)
def test_a_whole_number_is_understood_in_every_style(text):
    term = understand(text, ["JP", "GB"])

    assert term.is_number
    assert FULL in term.wholes
    assert "the phone number +81 ••• •••• 5678" in term.sentence
    assert term.is_in(FULL)


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("07400 123456", "GB", "+447400123456"),
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("312 345 6789", "IT", "+393123456789"),
    ],
)
def test_a_national_number_is_read_as_its_country_writes_it(text, country, e164):
    assert e164 in understand(text, ["JP", country]).wholes


def test_without_its_country_a_national_number_is_a_part():
    term = understand("090-1234-5678")

    assert (term.wholes, term.value) == ((), "9012345678")
    assert term.is_in(FULL)


@pytest.mark.parametrize(("text", "value"), PARTS.items())
def test_three_digits_and_more_are_a_part_of_a_number(text, value):
    term = understand(text)

    assert (term.meaning, term.value, term.wholes) == (Meaning.NUMBER, value, ())
    assert term.digits == value.lstrip("+")


@pytest.mark.parametrize(
    ("text", "there"), [("5678", True), ("1234", True), ("+819", True), ("+90", False), ("9999", False)]
)
def test_a_part_is_anywhere_in_a_number_and_a_plus_at_its_beginning(text, there):
    assert understand(text).is_in(FULL) is there


@pytest.mark.parametrize("text", ["1", "12", "+8", "+81", "०१", "1-2"])
def test_fewer_digits_are_asked_to_be_more(text):
    term = understand(text)

    assert (term.meaning, term.is_number) == (Meaning.FEW_DIGITS, False)
    assert "at least 3" in term.sentence


@pytest.mark.parametrize("text", [*STYLES, *PARTS, "9" * 20])
def test_pii_01_no_sentence_repeats_more_than_six_digits_of_a_number(text):
    for countries in ((), ("JP",)):
        term = understand(text, countries)
        for sentence in (term.sentence, term.sentence_in_part):
            assert not re.search(r"[0-9](?:[^0-9]{0,3}[0-9]){6}", sentence)


def test_a_number_that_is_whole_says_how_it_is_looked_for_when_nobody_has_it():
    term = understand("090-1234-5678", ["JP"])

    assert term.sentence_in_part == "phone number with the 10 digits that end in 5678 in it"


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
        ("+", Meaning.NAME, "+"),
        ("++819012345678", Meaning.NAME, "++819012345678"),
        ("90+12345678", Meaning.NAME, "90+12345678"),
        ("1" * 21, Meaning.NAME, "1" * 21),
        ("9012345678x5", Meaning.NAME, "9012345678x5"),
        ("1800CALLNOW", Meaning.NAME, "1800CALLNOW"),
        ("²³⁴⁵", Meaning.NAME, "²³⁴⁵"),
        (USER_ID[:-1], Meaning.NAME, USER_ID[:-1]),
    ],
)
def test_a_term_means_what_it_looks_like(text, meaning, value):
    term = understand(text)
    assert (term.meaning, term.value) == (meaning, value)


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("89abcdef", "89abcdef"),
        (" 89ABCDEF ", "89abcdef"),
        ("12345678", "12345678"),
        (USER_ID[:12], USER_ID[:12]),
        (USER_ID[:13], USER_ID[:13]),
        (USER_ID[:-1], USER_ID[:-1]),
        ("89abcde", ""),
        ("89abcdeg", ""),
        ("89abcdef0123456", ""),
        ("89abcdef-0123", ""),
        ("+12345678", ""),
        ("8９abcdef", ""),
        ("89abcdef%", ""),
    ],
)
def test_eight_characters_may_be_the_beginning_of_a_user_id(text, beginning):
    assert understand(text).id_beginning == beginning


def test_a_term_that_may_begin_a_user_id_says_so():
    assert understand("89abcdef").sentence == (
        "login name, e-mail address, display name or user ID beginning with “89abcdef”"
    )


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
    assert term.meaning is Meaning.NUMBER
    assert term.digits
