"""What the GSM alphabet holds and what its characters cost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import gsm7


def test_the_basic_table_has_127_characters_besides_the_escape() -> None:
    assert len(gsm7.BASIC) == 127
    assert "\x1b" not in gsm7.BASIC


def test_the_two_tables_share_no_character() -> None:
    assert not gsm7.BASIC & gsm7.EXTENSION
    assert len(gsm7.EXTENSION) == 10


@pytest.mark.parametrize("char", "aZ09 @£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡¿ÄÖÑÜ§äöñüà_\n\r")
def test_a_basic_character_takes_one_septet(char: str) -> None:
    assert gsm7.septets(char) == 1


@pytest.mark.parametrize("char", "^{}\\[~]|€\f")
def test_an_extension_character_takes_two_septets(char: str) -> None:
    assert gsm7.septets(char) == 2


@pytest.mark.parametrize(
    "char", ["`", "ç", "ó", "í", "á", "ê", "Α", "’", "…", "\t", "\x1b", "\x00", "あ", "😀", "\ud83d"]
)
def test_a_foreign_character_is_not_in_the_alphabet(char: str) -> None:
    assert gsm7.septets(char) is None


def test_no_equal_brings_back_a_foreign_character() -> None:
    assert all(gsm7.septets(char) for equal in gsm7.EQUALS.values() for char in equal)


def test_only_foreign_characters_have_an_equal() -> None:
    assert all(len(char) == 1 and gsm7.septets(char) is None for char in gsm7.EQUALS)


@pytest.mark.parametrize(
    ("char", "equal"), [("’", "'"), ("“", '"'), ("—", "-"), ("…", "..."), ("\u00a0", " ")]
)
def test_what_a_word_processor_puts_in_has_an_equal(char: str, equal: str) -> None:
    assert gsm7.EQUALS[char] == equal


def test_swapping_makes_a_text_cheap_that_a_word_processor_made_dear() -> None:
    assert gsm7.swap("“{code}”\u00a0— it’s yours…") == '"{code}" - it\'s yours...'


def test_swapping_leaves_what_has_no_equal() -> None:
    assert gsm7.swap("ça va 😀 日本 €") == "ça va 😀 日本 €"


def test_one_character_is_swapped_wherever_it_stands_and_nothing_else() -> None:
    assert gsm7.swap_one("‘a’ – ’b’ –", "’") == "‘a' – 'b' –"
    assert gsm7.swap_one("‘a’", "ç") == "‘a’"


@pytest.mark.parametrize("body", ["{app–name}", "{code’}", "{\u00a0code\u00a0}", "{}"])
def test_what_stands_in_braces_stays(body: str) -> None:
    assert gsm7.swap(f"–{body}–") == f"-{body}-"
    assert gsm7.swap_one(f"–{body}–", "–") == f"-{body}-"


def test_an_unclosed_brace_protects_nothing() -> None:
    assert gsm7.swap("{code – } } –") == "{code – } } -"
    assert gsm7.swap("{code – {code}") == "{code - {code}"


SWAPPABLE = st.text(st.sampled_from([*gsm7.EQUALS, "{", "}", "a", "€", "ç", "😀"]), max_size=60)


@settings(max_examples=150)
@given(SWAPPABLE)
def test_swapping_one_after_the_other_is_swapping_all_and_twice_is_once(text: str) -> None:
    one_by_one = text
    for char in gsm7.EQUALS:
        one_by_one = gsm7.swap_one(one_by_one, char)
    assert one_by_one == gsm7.swap(text) == gsm7.swap(gsm7.swap(text))
