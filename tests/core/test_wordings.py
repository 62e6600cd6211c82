"""Whether what ships keeps our own rules, and what it costs."""

import unicodedata

import pytest

from portal.core import app_name, links, locales, placeholders, wordings
from portal.core.segments import segment

LONGEST = {"code": "1234567890", "app_name": "A" * app_name.LONGEST, "minutes": "10"}
USUAL = {"code": "123456", "app_name": "Acme Travel", "minutes": "10"}
IN_THE_CHEAP_ALPHABET = {"en", "de", "fr", "es", "pt", "it", "id", "tr"}
# One letter of each script that a wording in it cannot do without.
SCRIPTS = {
    "ja": "HIRAGANA",
    "ar": "ARABIC",
    "zh-Hans": "CJK",
    "zh-Hant": "CJK",
    "ko": "HANGUL",
    "hi": "DEVANAGARI",
    "he": "HEBREW",
    "vi": "LATIN",
    "th": "THAI",
    "ru": "CYRILLIC",
}


def test_both_purposes_are_worded_in_the_same_languages() -> None:
    assert list(wordings.VERIFICATION) == list(wordings.CHANGE_NOTICE)


def test_there_are_at_least_15_languages_and_two_run_right_to_left() -> None:
    assert len(wordings.VERIFICATION) >= 15
    right_to_left = {each for each in wordings.VERIFICATION if locales.direction(each) == "rtl"}
    assert right_to_left == {"ar", "he"}


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_every_verification_keeps_the_rules_and_fits_one_sms_with_the_longest_values(locale: str) -> None:
    wording = placeholders.parse(wordings.VERIFICATION[locale])
    assert all(wording.body.count(placeholder.written) == 1 for placeholder in placeholders.Placeholder)
    assert segment(wording.fill(LONGEST)).count == 1


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_the_code_comes_early_so_that_it_can_be_read_without_opening_the_sms(locale: str) -> None:
    body = wordings.VERIFICATION[locale]
    assert len(body[: body.index("{code}")].replace("{app_name}", "")) <= 10


@pytest.mark.parametrize("locale", wordings.CHANGE_NOTICE)
def test_every_notice_names_the_app_only_and_fits_one_sms(locale: str) -> None:
    body = wordings.CHANGE_NOTICE[locale]
    assert [problem.rule for problem in placeholders.problems(body)] == [placeholders.Rule.CODE_MISSING]
    assert body.count("{") == body.count("{app_name}") == 1
    assert segment(placeholders.fill(body, USUAL)).count == 1


@pytest.mark.parametrize("locale", wordings.CHANGE_NOTICE)
def test_no_notice_carries_a_link(locale: str) -> None:
    body = wordings.CHANGE_NOTICE[locale]
    assert not any(sign in body for sign in ("://", "www", "/", "@"))
    assert not list(links.find(body))


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_only_languages_that_need_it_pay_for_the_dear_alphabet(locale: str) -> None:
    expected = "GSM-7" if locale in IN_THE_CHEAP_ALPHABET else "UCS-2"
    for body in (wordings.VERIFICATION[locale], wordings.CHANGE_NOTICE[locale]):
        assert segment(placeholders.fill(body, LONGEST)).encoding == expected


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_every_wording_is_in_the_script_of_its_language(locale: str) -> None:
    for body in (wordings.VERIFICATION[locale], wordings.CHANGE_NOTICE[locale]):
        plain = placeholders.fill(body, dict.fromkeys(LONGEST, ""))
        scripts = {unicodedata.name(char).split()[0] for char in plain if char.isalpha()}
        assert SCRIPTS.get(locale, "LATIN") in {script.partition("-")[0] for script in scripts}
        assert ("LATIN" in scripts) == (SCRIPTS.get(locale, "LATIN") == "LATIN")


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_a_text_that_runs_right_to_left_begins_so_whatever_the_app_is_called(locale: str) -> None:
    for body in (wordings.VERIFICATION[locale], wordings.CHANGE_NOTICE[locale]):
        if locales.direction(locale) == "rtl":
            assert unicodedata.bidirectional(body[0]) in {"R", "AL"}


def test_simplified_and_traditional_chinese_differ() -> None:
    for texts in (wordings.VERIFICATION, wordings.CHANGE_NOTICE):
        texts["zh-Hans"].encode("gb2312")
        texts["zh-Hant"].encode("big5")
        with pytest.raises(UnicodeEncodeError):
            texts["zh-Hant"].encode("gb2312")


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_every_text_is_written_with_composed_letters(locale: str) -> None:
    for body in (wordings.VERIFICATION[locale], wordings.CHANGE_NOTICE[locale]):
        assert unicodedata.is_normalized("NFC", body)


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_every_locale_is_written_as_a_canonical_tag(locale: str) -> None:
    assert locales.normalise(locale) == locale


@pytest.mark.parametrize(
    ("wanted", "served"),
    [
        *(("de-AT", "de"), ("ja", "ja"), ("pt-BR", "pt"), ("pt", "pt"), ("zh-Hant-HK", "zh-Hant")),
        *(("he-IL", "he"), ("sv", "en"), (None, "en"), ("!", "en")),
    ],
)
def test_the_notice_is_in_the_language_that_serves_best(wanted: str | None, served: str) -> None:
    assert wordings.notice_for(wanted) == wordings.CHANGE_NOTICE[served]
