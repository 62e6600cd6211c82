"""Which steps the search for an SMS template takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import locales
from portal.core.locale_steps import Outcome, Step, Why, steps


def walk(wanted: str | None, available: list[str], default: str) -> list[tuple[str, str]]:
    found = steps(wanted, available, default)
    assert [step.outcome for step in found] == [*[Outcome.NO_TEMPLATE] * (len(found) - 1), Outcome.WINS]
    return [(step.tag, step.why.value) for step in found]


def test_it_shows_each_try_up_to_the_one_that_wins() -> None:
    assert walk("zh_hans_hk", ["en", "zh", "ja"], "ja") == [
        ("zh-Hans-HK", "wanted"),
        ("zh-Hans", "shorter"),
        ("zh", "shorter"),
    ]


def test_the_wanted_language_may_win_at_once() -> None:
    assert steps("ja", ["en", "ja"], "en") == [Step("ja", Why.WANTED, Outcome.WINS)]


def test_then_comes_the_default_and_then_english() -> None:
    assert walk("fr-CA", ["en"], "pt-BR") == [
        ("fr-CA", "wanted"),
        ("fr", "shorter"),
        ("pt-BR", "default"),
        ("pt", "default"),
        ("en", "last_resort"),
    ]


def test_a_script_that_was_only_meant_is_a_step_of_its_own() -> None:
    assert walk("zh-TW", ["en", "zh"], "ja") == [
        ("zh-TW", "wanted"),
        ("zh-Hant-TW", "likely_script"),
        ("zh-Hant", "likely_script"),
        ("zh", "shorter"),
    ]
    assert walk("zh", ["en", "zh-Hans", "zh-Hant"], "en") == [("zh", "wanted"), ("zh-Hans", "likely_script")]


def test_the_script_that_the_default_means_belongs_to_the_default() -> None:
    assert walk("fr", ["en", "zh-Hant"], "zh-TW") == [
        ("fr", "wanted"),
        ("zh-TW", "default"),
        ("zh-Hant-TW", "default"),
        ("zh-Hant", "default"),
    ]


def test_a_user_without_a_language_starts_at_the_default() -> None:
    assert walk(None, ["en", "ja"], "ja-JP") == [("ja-JP", "default"), ("ja", "default")]
    assert walk(None, ["en"], "en") == [("en", "default")]


def test_english_is_no_last_resort_to_those_who_ask_for_it() -> None:
    assert walk("en-GB", ["en"], "ja") == [("en-GB", "wanted"), ("en", "shorter")]


def test_the_winner_is_spelled_as_its_template() -> None:
    assert walk("PT-br", ["en", "pt_br"], "en") == [("pt_br", "wanted")]


@pytest.mark.parametrize("wanted", ["", "english", "en--US", "日本語", "a" * 1000])
def test_it_refuses_what_is_no_tag(wanted: str) -> None:
    with pytest.raises(locales.LocaleError, match=r"\.$"):
        steps(wanted, ["en"], "en")


def test_it_says_so_when_english_is_missing() -> None:
    with pytest.raises(LookupError):
        steps("fr", ["ja"], "de")


def test_every_reason_and_outcome_has_its_sentence() -> None:
    assert all(each.sentence.endswith(".") for each in [*Why, *Outcome])


TAGS = st.sampled_from(
    [
        "en",
        "EN_gb",
        "zh-Hans-HK",
        "zh-Hans",
        "zh",
        "zh-Hans-u-co-pinyin",
        "pt-BR",
        "pt_br",
        "ja",
        "x-pirate",
        "zh-TW",
        "zh-Hant",
        "sr_me",
        "sr-Latn",
    ]
)


@settings(max_examples=300)
@given(
    st.one_of(st.none(), TAGS, st.text(max_size=6)),
    st.sets(st.one_of(TAGS, st.text(max_size=6))),
    st.one_of(TAGS, st.text(max_size=6)),
)
def test_the_last_step_is_what_would_be_chosen(wanted: str | None, available: set[str], default: str) -> None:
    offered = sorted(available | {"en"})
    try:
        found = steps(wanted, offered, default)
    except locales.LocaleError:
        with pytest.raises(locales.LocaleError):
            locales.normalise(wanted or "")
        return
    assert found[-1].tag == locales.choose(wanted, offered, default)
    assert [step.outcome for step in found].count(Outcome.WINS) == 1
    assert [step.tag for step in found[:-1]] == locales.chain(wanted, default)[: len(found) - 1]
