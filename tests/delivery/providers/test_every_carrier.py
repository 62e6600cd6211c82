"""What holds for every carrier over HTTP: time, size, failures told apart, and no word too many."""

import re
import socket
import time
import traceback

import pytest

from portal.core import outgoing_urls
from portal.core.provider_kinds import ProviderKind
from portal.delivery import outgoing
from portal.delivery.providers import installed
from portal.delivery.providers.base import ProviderRefused, ProviderUnreachable, Surroundings, WrongField
from tests.delivery.log_lines import every_line
from tests.delivery.odd_servers import answers, drips, hangs, resets, serving
from tests.delivery.providers.conftest import CODE, RECEIPTS_URL, TEXT, TO, failed, open_here

SECRET = "canary-credential-0123456789"
CARRIERS = {
    ProviderKind.TWILIO: {"account_sid": "AC" + "a1" * 16, "auth_token": SECRET, "sender": "+15550100"},
    ProviderKind.VONAGE: {
        "api_key": "a1b2c3d4",
        "api_secret": SECRET,
        "signature_secret": SECRET,
        "sender": "+15550100",
    },
    ProviderKind.HTTP: {
        "body": '{"to": "{to}", "text": "{text}", "key": "{secret}"}',
        "secret": SECRET,
        "user": "shop",
    },
    ProviderKind.KANNEL: {"user": "tester", "password": SECRET, "sender": "Coffee"},
}
# Which field says where the carrier stands.
PLACE = dict.fromkeys(ProviderKind, "address") | {ProviderKind.HTTP: "url", ProviderKind.SMPP: "host"}
ECHO = f'{{"message": "bad {TEXT} to {TO} by {SECRET}", "title": "{TEXT}", "detail": "{SECRET}"}}'


def raw(status: int, body: str = "", *headers: str) -> bytes:
    """An answer as it goes over the wire."""
    head = "".join(f"{each}\r\n" for each in headers)
    data = body.encode()
    return f"HTTP/1.1 {status} X\r\n{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


@pytest.fixture(params=CARRIERS, ids=str)
def kind(request) -> ProviderKind:
    """Every kind of carrier that is called over HTTP."""
    return request.param


def open_over(kind: ProviderKind, port: int):
    """The carrier, told that it stands at this port."""
    address = f"http://127.0.0.1:{port}"
    return open_here(kind, address, CARRIERS[kind] | {PLACE[kind]: address})


def test_every_kind_of_carrier_can_be_opened_and_has_its_fields():
    assert list(installed.CARRIERS) == list(ProviderKind)
    for kind in ProviderKind:
        names = [field.name for field in installed.fields_of(kind)]
        assert len(set(names)) == len(names)
        assert PLACE[kind] in names
        assert all(
            field.label[0].isupper() and field.fix.endswith(".") for field in installed.fields_of(kind)
        )
        assert all(not field.default for field in installed.fields_of(kind) if field.is_secret)


def test_no_hint_shows_an_address_that_the_rule_refuses(kind):
    examples = [
        (field, each)
        for field in installed.fields_of(kind)
        for each in re.findall(r"https?://[a-z][^\s,]*[a-z]", f"{field.help} {field.fix} {field.default}")
    ]
    for field, each in examples:
        assert re.fullmatch(field.pattern, each), field.name
        assert not outgoing_urls.target(each).is_private


@pytest.mark.parametrize("kind", [ProviderKind.KANNEL, ProviderKind.HTTP])
@pytest.mark.parametrize(
    "address", ["http://kannel:13013/x", "http://127.0.0.1:13013/x", "https://10.0.0.1/x"]
)
def test_the_hint_of_an_address_says_before_what_its_refusal_says_after(kind, address):
    [field] = [each for each in installed.fields_of(kind) if each.name == PLACE[kind]]
    settings = {each.name: each.default for each in installed.fields_of(kind)}
    with pytest.raises(WrongField, match="PORTAL_PRIVATE_CARRIERS") as refused:
        open_here(kind, "https://ringback.example", settings | CARRIERS[kind] | {PLACE[kind]: address})
    assert refused.value.field == PLACE[kind]
    for said in ("https://", "your operator", "PORTAL_PRIVATE_CARRIERS"):
        assert said in field.help


def test_what_is_typed_is_divided_into_settings_and_secrets(kind):
    settings, secrets = installed.divide(
        kind, CARRIERS[kind] | {PLACE[kind]: "https://sms.example.com", "x": "1"}
    )
    assert set(secrets.values()) == {SECRET}
    assert SECRET not in settings.values()
    assert "x" not in settings


@pytest.mark.parametrize("missing", [True, False])
def test_what_is_missing_or_nonsense_is_refused_by_its_field(kind, missing):
    for field in installed.fields_of(kind):
        if missing and (not field.is_required or field.default):
            continue
        usual = CARRIERS[kind] | {PLACE[kind]: "https://sms.example.com"}
        with pytest.raises(WrongField) as wrong:
            installed.divide(kind, usual | {field.name: "" if missing else "\x00"})
        assert wrong.value.field == field.name


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1",
        "https://169.254.169.254",
        "https://10.0.0.1:8443",
        "https://0.0.0.0",
        "https://2130706433",
        "https://0177.0.0.1",
        "https://localhost",
        "https://ringback.example",
        "http://sms.example.com",
    ],
)
def test_web_11_an_address_that_must_not_be_called_is_refused_when_it_is_set(kind, address):
    settings, secrets = installed.divide(kind, CARRIERS[kind] | {PLACE[kind]: address})
    with pytest.raises(WrongField) as wrong:
        installed.open_carrier(kind, settings, secrets, Surroundings(receipts_url=RECEIPTS_URL))
    assert wrong.value.field == PLACE[kind]


def test_web_11_a_name_that_has_turned_private_sends_nothing(kind, sms, monkeypatch):
    place = {PLACE[kind]: "https://sms.example.com"}
    settings, secrets = installed.divide(kind, CARRIERS[kind] | place)
    carrier = installed.open_carrier(kind, settings, secrets, Surroundings(receipts_url=RECEIPTS_URL))
    private = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(outgoing.resolving.socket, "getaddrinfo", lambda *_a, **_o: private)
    failure = failed(lambda: carrier.send(sms))
    assert isinstance(failure, ProviderUnreachable)
    assert not failure.may_have_left


def test_del_07_where_nobody_listens_nothing_has_left(kind, sms):
    with serving(answers()) as server:
        carrier = open_over(kind, server.port)
    for call in (lambda: carrier.send(sms), carrier.check):
        failure = failed(call)
        assert isinstance(failure, ProviderUnreachable)
        assert not failure.may_have_left


@pytest.mark.parametrize("play", [hangs, resets, drips(raw(202, "x" * 200), 0.05), answers(b"no http")])
def test_del_07_without_a_whole_answer_the_sms_may_have_left(kind, sms, play):
    with serving(play) as server:
        carrier = open_over(kind, server.port)
        object.__setattr__(carrier._outgoing, "total", 0.5)
        began = time.monotonic()
        failure = failed(lambda: carrier.send(sms))
        assert time.monotonic() - began < 3
    assert isinstance(failure, ProviderUnreachable)
    assert failure.may_have_left
    assert not failure.permanent


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_del_06_too_much_and_the_carriers_own_faults_are_for_now(kind, sms, status):
    with serving(answers(raw(status, "", "Retry-After: 20"))) as server:
        failure = failed(lambda: open_over(kind, server.port).send(sms))
    assert isinstance(failure, ProviderRefused)
    assert (failure.permanent, failure.retry_after, failure.may_have_left) == (False, 20_000, False)


def test_web_11_a_redirect_is_a_no_and_is_not_followed(kind, sms):
    with serving(answers()) as inner:
        with serving(answers(raw(307, "", f"Location: http://127.0.0.1:{inner.port}/"))) as server:
            failure = failed(lambda: open_over(kind, server.port).send(sms))
        assert inner.connections == 0
    assert isinstance(failure, ProviderRefused)


@pytest.mark.parametrize("status", [200, 202, 400, 401, 500])
def test_pii_02_whatever_comes_back_no_error_and_no_log_line_holds_text_number_or_credential(
    kind, sms, status, capfd
):
    written = f"{sms!r}"
    with every_line() as lines, serving(answers(raw(status, ECHO))) as server:
        carrier = open_over(kind, server.port)
        for call in (lambda: carrier.send(sms), carrier.check):
            try:
                written += repr(call())
            except (ProviderRefused, ProviderUnreachable) as failure:
                written += f"{failure!r} {failure} {''.join(traceback.format_exception(failure))}"
    written += f"{capfd.readouterr()} {lines.getvalue()}"
    for canary in (CODE, TO, TO[1:], SECRET, "Your code is"):
        assert canary not in written


def test_pii_02_a_carrier_that_talks_for_ever_is_cut_short(kind, sms):
    with serving(answers(raw(400, '{"code": 21211, "message": "' + "x" * 10_000_000 + '"}'))) as server:
        failure = failed(lambda: open_over(kind, server.port).send(sms))
    assert len(failure.words) <= 300


def test_only_a_carrier_that_must_be_told_where_to_ask_has_a_check_that_asks_nobody():
    asked = {kind: installed.is_checkable(kind, {}) for kind in ProviderKind}
    assert asked == dict.fromkeys(ProviderKind, True) | {ProviderKind.HTTP: False}
    assert installed.is_checkable(ProviderKind.HTTP, {"check_url": "https://sms.example/account"})
