"""PII-02: where could a code or a number leak while a message is sent?"""

import io

import pytest

from portal import logs
from portal.delivery import outcomes
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable

NUMBER = "+819012345678"


@pytest.fixture
def log(monkeypatch) -> io.StringIO:
    """Everything that is logged, down to the least important line."""
    written = io.StringIO()
    monkeypatch.setattr(logs.sys, "stderr", written)
    logs.configure("debug")
    return written


@pytest.mark.parametrize("kind", [ProviderRefused, ProviderUnreachable, RuntimeError])
@pytest.mark.parametrize("permanent", [True, False])
def test_pii_02_a_provider_that_echoes_the_sms_puts_nothing_of_it_into_log_or_rows(
    office, log, clock, kind, permanent
):
    dora = office.sign_up()
    echo = f"cannot send '{office.code(dora)} is your Shop code' to {NUMBER}"
    failure = kind(echo) if kind is RuntimeError else kind(echo, permanent=permanent)
    office.carrier.script = [failure] * 5
    for _ in range(6):
        office.send()
        clock.advance(81)
    written = log.getvalue()
    assert office.message(dora).state in ("failed", "dead")
    assert "message_noted" in written
    for secret in (office.code(dora), "is your Shop code", NUMBER, NUMBER[3:]):
        assert secret not in written
    words = office.message(dora).provider_words or ""
    assert not any(char.isdigit() for char in words)


def test_pii_02_an_sms_that_is_sent_leaves_no_code_and_no_number_in_the_log(office, log, capfd):
    dora = office.sign_up()
    office.send()
    written = log.getvalue() + "".join(capfd.readouterr())
    assert office.message(dora).state == "sent"
    assert office.code(dora) not in written
    assert NUMBER[3:] not in written


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("code 123456 rejected", "code •••••• rejected"),
        ("١٢٣ and １２３", "••• and •••"),
        ("a\x00b\nc", "a b c"),
        ("broken \ud800 half", "broken ? half"),
        ("x" * 400, "x" * 300),
    ],
)
def test_a_providers_words_are_scrubbed_before_they_are_kept(words, kept):
    assert outcomes.scrubbed(words) == kept
