"""Every refusal has one code that never changes and one sentence that people understand."""

import re

import pytest

from portal.core.reasons import Reason

# API clients, the portal and stored rows all know these codes: one that is renamed breaks them.
CODES = {
    "resend_wait",
    "sends_used_up",
    "number_hourly_limit",
    "number_daily_limit",
    "too_many_guesses",
    "number_guess_limit",
    "country_closed",
    "not_mobile",
    "expired_before_sending",
    "no_longer_needed",
    "provider_refused",
    "provider_unreachable",
    "no_provider",
    "rendering_failed",
}


def test_no_code_that_was_once_given_out_is_missing():
    assert {reason.value for reason in Reason} >= CODES


@pytest.mark.parametrize("reason", Reason)
def test_a_code_is_short_lower_case_and_fits_its_column(reason):
    assert re.fullmatch(r"[a-z][a-z_]{2,39}", reason.value)
    assert Reason(reason.value) is reason
    assert str(reason) == reason.value


@pytest.mark.parametrize("reason", Reason)
def test_a_sentence_is_whole_short_and_speaks_no_code(reason):
    assert reason.sentence[0].isupper()
    assert reason.sentence.endswith(".")
    assert len(reason.sentence) <= 120
    assert "_" not in reason.sentence


def test_no_two_reasons_read_the_same():
    assert len({reason.sentence for reason in Reason}) == len(Reason)
