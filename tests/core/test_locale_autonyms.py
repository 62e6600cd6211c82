"""What languages call themselves, read without filling Babel's memory."""

import threading

import pytest
from babel import localedata

from portal.core import locale_autonyms, locales


@pytest.mark.parametrize(
    ("tag", "called"),
    [
        ("ja", "日本語"),
        ("pt-BR", "português (Brasil)"),
        ("zh-Hans", "中文 (简体)"),
        ("yue", "粵語"),
        ("ar", "العربية"),
    ],
)
def test_it_knows_what_a_language_calls_itself(tag: str, called: str) -> None:
    assert locale_autonyms.autonyms()[tag] == called


# What is inherited is where a reader of its own could go wrong: along regions, exceptions and scripts.
@pytest.mark.parametrize(
    "tag",
    ["en-GB", "es-MX", "pt-AO", "zh-Hant-HK", "nb", "az-Arab-IR", "ca-ES-valencia", "zh-Latn", "hi-Latn"],
)
def test_the_names_are_babels_own(tag: str) -> None:
    assert locale_autonyms.autonyms()[tag] == locales.autonym(tag)


def test_every_tag_is_in_the_casing_of_bcp_47_and_has_a_name() -> None:
    assert all(locales.normalise(tag) == tag and name for tag, name in locale_autonyms.autonyms().items())
    assert len(locale_autonyms.autonyms()) > 1000


def test_babel_keeps_none_of_what_was_read() -> None:
    before = set(localedata._cache)
    locale_autonyms._read_all.cache_clear()
    locale_autonyms.autonyms()
    assert set(localedata._cache) == before


def test_the_files_are_read_once_however_many_ask_at_the_same_time() -> None:
    locale_autonyms._read_all.cache_clear()
    askers = [threading.Thread(target=locale_autonyms.autonyms) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert locale_autonyms._read_all.cache_info().misses == 1
