"""Whether what ships keeps our own rules, and what it costs."""

import pytest

from portal.core import locales, placeholders, wordings
from portal.core.segments import segment

LONGEST = {"code": "1234567890", "app_name": "A" * placeholders.LONGEST_APP_NAME, "minutes": "10"}
USUAL = {"code": "123456", "app_name": "Acme Travel", "minutes": "10"}


def test_both_purposes_are_worded_in_the_same_languages() -> None:
    assert set(wordings.VERIFICATION) == set(wordings.CHANGE_NOTICE) == {"en", "ja", "de", "fr", "es", "ar"}


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_every_verification_keeps_the_rules_and_fits_one_sms_with_the_longest_values(locale: str) -> None:
    wording = placeholders.parse(wordings.VERIFICATION[locale])
    assert all(placeholder.written in wording.body for placeholder in placeholders.Placeholder)
    assert segment(wording.fill(LONGEST)).count == 1


@pytest.mark.parametrize("locale", wordings.CHANGE_NOTICE)
def test_every_notice_names_the_app_only_and_fits_one_sms(locale: str) -> None:
    body = wordings.CHANGE_NOTICE[locale]
    assert [problem.rule for problem in placeholders.problems(body)] == [placeholders.Rule.CODE_MISSING]
    assert body.count("{") == body.count("{app_name}") == 1
    assert segment(placeholders.fill_leniently(body, USUAL)).count == 1


@pytest.mark.parametrize("locale", wordings.CHANGE_NOTICE)
def test_no_notice_carries_a_link(locale: str) -> None:
    body = wordings.CHANGE_NOTICE[locale]
    assert not any(sign in body for sign in ("://", "www", "/", "@"))


@pytest.mark.parametrize("locale", ["en", "de", "fr", "es"])
def test_latin_wordings_stay_in_the_cheap_alphabet(locale: str) -> None:
    for body in (wordings.VERIFICATION[locale], wordings.CHANGE_NOTICE[locale]):
        assert segment(placeholders.fill_leniently(body, LONGEST)).encoding == "GSM-7"


@pytest.mark.parametrize("locale", wordings.VERIFICATION)
def test_every_locale_is_written_as_a_canonical_tag(locale: str) -> None:
    assert locales.normalise(locale) == locale


@pytest.mark.parametrize(
    ("wanted", "served"), [("de-AT", "de"), ("ja", "ja"), ("it", "en"), (None, "en"), ("!", "en")]
)
def test_the_notice_is_in_the_language_that_serves_best(wanted: str | None, served: str) -> None:
    assert wordings.notice_for(wanted) == wordings.CHANGE_NOTICE[served]
