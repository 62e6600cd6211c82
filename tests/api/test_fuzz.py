"""A storm of requests, mostly nonsense: none gets a 5xx, a redirect or an answer that is no JSON (WEB-10).

`python -m tests.bench.fuzz` sends as many as wanted.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.api.requests import requests

EXAMPLES = 150
IN_EACH = 10


@pytest.fixture
def settings(settings):
    """All of the storm comes from one source, which is not what is tried here."""
    return replace(settings, source_sends=100_000, source_wrong_codes=100_000)


def assert_sane(answer, sent):
    assert answer.status_code < 500, (sent, answer.get_data(as_text=True))
    assert not 300 <= answer.status_code < 400, sent
    assert not answer.data or answer.is_json, sent
    assert answer.status_code < 400 or "%" not in answer.get_data(as_text=True), sent


def test_web_10_it_survives_fifteen_hundred_requests_of_any_kind(kii, admin):
    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )
    @given(st.lists(requests(), min_size=IN_EACH, max_size=IN_EACH))
    def storm(many):
        # A new user each time: requests of the last round may have deleted or locked out its own.
        user = kii.sign_up()
        for sent in many:
            assert_sane(sent.send(user, admin.token), sent)

    storm()
