"""Which languages are offered for what an owner typed so far."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import locales
from portal.core.locale_suggestions import Suggestion, suggest


def tags(typed: str, most: int = 8) -> list[str]:
    return [suggestion.tag for suggestion in suggest(typed, most)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("port", ["pt", "pt-BR", "pt-PT"]),
        ("日", ["ja"]),
        ("sim", ["zh-Hans"]),
        ("繁", ["zh-Hant"]),
        ("kanton", ["yue"]),
        ("canto", ["yue"]),
        ("kroat", ["hr"]),
        ("ara", ["ar"]),
        ("العر", ["ar"]),
        ("espan", ["es", "es-ES"]),
        ("ESPAÑ", ["es"]),
        ("한", ["ko", "ko-KR"]),
        ("ｊａｐ", ["ja"]),
        ("braz", ["pt-BR"]),
        ("chinese trad", ["zh-Hant"]),
        ("s", ["es", "sw", "sv"]),
        ("tagalog", ["fil"]),
    ],
)
def test_it_finds_a_language_by_the_beginning_of_any_word_of_its_names(typed: str, first: list[str]) -> None:
    assert tags(typed)[: len(first)] == first


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("en", ["en", "en-US"]),
        ("DE", ["de", "de-DE", "de-AT", "de-CH"]),
        ("no", ["no"]),
        ("PT_br", ["pt-BR"]),
        ("pt br", ["pt-BR"]),
        ("pt-b", ["pt-BR"]),
        ("zh-Hans-HK", ["zh-Hans-HK"]),
        ("iw", ["he"]),
        ("jpn", ["ja"]),
        ("jpn-JP", ["ja-JP"]),
        ("sh", ["sr-Latn"]),
        ("sh-Cyrl", ["sh-Cyrl"]),
        ("tl-x-aaaaaaaa-bbbbbbbb-cccccccc-ddd", ["tl-x-aaaaaaaa-bbbbbbbb-cccccccc-ddd"]),
    ],
)
def test_the_very_tag_comes_first_in_whatever_spelling(typed: str, first: list[str]) -> None:
    assert tags(typed)[: len(first)] == first


def test_a_suggestion_carries_both_names() -> None:
    assert suggest("pt-BR")[0] == Suggestion("pt-BR", "Portuguese (Brazil)", "português (Brasil)")
    assert suggest("zh-TW")[0] == Suggestion("zh-TW", "Chinese (Traditional, Taiwan)", "中文 (繁體, 台灣)")


@pytest.mark.parametrize("tag", ["en-x-pirate", "zh-Hans-QQ", "x-pirate", "de-1996"])
def test_a_tag_that_nobody_listed_is_offered_as_it_is(tag: str) -> None:
    assert tags(tag.upper())[0] == tag


def test_two_or_three_letters_that_nobody_listed_are_offered_last() -> None:
    assert tags("sim")[-1] == "sim"
    assert tags("sim", most=2) == ["zh-Hans", "sim"]


@pytest.mark.parametrize("typed", ["", "   ", ",", "(", "!!", "qqqqqq", "a" * 61, "\ud800", "\x00"])
def test_it_offers_nothing_for_what_means_nothing(typed: str) -> None:
    assert suggest(typed) == []


def test_it_offers_as_many_as_are_wanted() -> None:
    assert [len(suggest("e", most)) for most in (-1, 0, 1, 3, 20)] == [0, 0, 1, 3, 20]


@settings(max_examples=80, deadline=None)
@given(st.one_of(st.text(max_size=20), st.text("enzhptHas-_x1 ", max_size=12)))
def test_it_never_raises_and_offers_no_tag_twice_and_none_that_is_ill_formed(typed: str) -> None:
    found = tags(typed)
    assert len(found) == len(set(found)) <= 8
    assert all(locales.normalise(tag) == tag for tag in found)


def test_a_letter_costs_a_few_milliseconds() -> None:
    suggest("a")
    began = time.process_time()
    for typed in ("p", "po", "por", "port", "portu"):
        suggest(typed)
    assert time.process_time() - began < 0.25
