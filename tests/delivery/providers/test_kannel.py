"""A real Kannel takes our SMS in every script, says no as its guide has it, and reports back to us."""

from urllib.parse import unquote_to_bytes

import pytest

from portal import clock as portal_clock
from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.delivery.providers.base import ProviderUnreachable, Sms
from tests.delivery.odd_servers import answers, serving
from tests.delivery.providers import kannel_server
from tests.delivery.providers.conftest import (
    RECEIPTS_URL,
    REFERENCE,
    TO,
    failed,
    got,
    open_here,
    refused,
)
from tests.delivery.providers.kannel_server import PASSWORD, USER, until

pytestmark = pytest.mark.xdist_group("kannel")
JAPANESE = "確認コードは 482913 です。"


@pytest.fixture(scope="module")
def kannel(tmp_path_factory):
    """A Kannel that is up, with its fake SMSC."""
    running = kannel_server.Kannel(tmp_path_factory.mktemp("kannel"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def reports(httpserver):
    """Where Kannel's delivery reports arrive, as they arrive: `reports()` is what came so far."""
    httpserver.expect_request("/receipts").respond_with_data("", 204)
    return lambda: [request.full_path for request, _ in httpserver.log]


def open_kannel(address: str, receipts_url: str = "", **values: str):
    """Kannel's carrier, which is told where reports shall go."""
    usual = {"address": address, "user": USER, "password": PASSWORD, "sender": "Coffee"}
    carrier = open_here(ProviderKind.KANNEL, address, usual | values)
    carrier._receipts_url = receipts_url
    return carrier


def sms_of(text: str, reference: str = REFERENCE) -> Sms:
    """An SMS with this text."""
    return Sms(reference, TO, text, portal_clock.now() + 600_000)


@pytest.mark.parametrize("text", ["Your code is 482913.", "Çode {482913} für 5 €", "a" * 160])
def test_a_text_of_the_gsm_alphabet_arrives_in_it(kannel, text):
    before = len(kannel.messages())
    assert open_kannel(kannel.address).send(sms_of(text)).reference == REFERENCE
    (message,) = until(lambda: kannel.messages()[before:])
    assert message == f"Coffee {TO} text {text}"


def test_japanese_arrives_as_ucs_2(kannel):
    before = len(kannel.messages())
    open_kannel(kannel.address).send(sms_of(JAPANESE))
    (message,) = until(lambda: kannel.messages()[before:])
    sender, to, kind, raw = message.split(" ", 3)
    assert (sender, to, kind) == ("Coffee", TO, "ucs-2")
    assert unquote_to_bytes(raw.replace("+", " ")).decode("utf-16-be") == JAPANESE


def test_a_long_text_is_cut_and_reported_once(kannel, httpserver, reports):
    before = len(kannel.messages())
    open_kannel(kannel.address, httpserver.url_for("/receipts")).send(sms_of(JAPANESE * 10, "long1"))
    until(lambda: len(kannel.messages()) - before == 3)
    states = until(lambda: len(found := [each for each in reports() if "long1" in each]) >= 2 and found)
    assert len(states) == 2


def test_del_10_reports_come_back_to_our_address_and_are_read(kannel, httpserver, reports):
    carrier = open_kannel(kannel.address, httpserver.url_for("/receipts"))
    carrier.send(sms_of("Your code is 482913.", "r 1&2=3"))
    found = until(lambda: len(reports()) >= 2 and reports())
    read = [carrier.read_receipts(got(each)) for each in found]
    assert sorted((each.reference, each.state) for (each,) in read) == [
        ("r 1&2=3", ReceiptState.DELIVERED),
        ("r 1&2=3", ReceiptState.SENT),
    ]


def test_pii_02_no_address_holds_number_text_or_password(kannel, httpserver, reports):
    open_kannel(kannel.address, httpserver.url_for("/receipts")).send(sms_of("Your code is 482913."))
    until(reports)
    log = (kannel.folder / "smsbox.log").read_text()
    assert PASSWORD not in log
    assert all("482913" not in each and TO[1:] not in each for each in reports())


def test_del_05_the_validity_is_set_in_minutes(kannel):
    with serving(
        answers(b"HTTP/1.1 202 OK\r\nContent-Length: 27\r\n\r\n0: Accepted for delivery   ")
    ) as server:
        address = f"http://127.0.0.1:{server.port}/cgi-bin/sendsms"
        open_kannel(address).send(Sms(REFERENCE, TO, "x", portal_clock.now() + 300_500))
        open_kannel(address).send(Sms(REFERENCE, TO, "x", portal_clock.now()))
        found = [request.lower() for request in server.requests]
    assert b"x-kannel-validity: 5\r\n" in found[0]
    assert b"x-kannel-validity: 1\r\n" in found[1]


def test_the_check_tells_right_credentials_from_wrong_ones_and_sends_nothing(kannel):
    before = len(kannel.messages())
    assert open_kannel(kannel.address).check()
    failure = failed(open_kannel(kannel.address, password="wrong").check)
    assert failure.is_about_account
    assert failure.words == "Authorization failed for sendsms"
    assert kannel.messages()[before:] == []


def test_del_06_kannels_own_refusals_decide_whether_asking_again_can_help(kannel):
    wrong = refused(open_kannel(kannel.address, password="wrong"), sms_of("x"))
    assert (wrong.permanent, wrong.is_about_account) == (True, True)
    odd = refused(open_kannel(kannel.address), Sms(REFERENCE, "no number", "x", portal_clock.now() + 600_000))
    assert (odd.permanent, odd.reason) == (True, Reason.PHONE_UNREACHABLE)


@pytest.mark.parametrize(
    ("status", "words", "permanent", "is_about_account"),
    [
        (403, "Authorization failed for sendsms", True, True),
        (403, "Not routable. Do not try again.", True, True),
        (400, "Number(s) has/have been denied by white- and/or black-lists.", True, False),
        (400, "Sender missing and no global set, rejected", True, False),
        (503, "Temporal failure, try again later.", False, False),
        (404, "Unknown request.", True, False),
    ],
)
def test_del_06_each_refusal_of_its_guide_decides(status, words, permanent, is_about_account):
    raw = f"HTTP/1.1 {status} No\r\nContent-Length: {len(words)}\r\n\r\n{words}".encode()
    with serving(answers(raw)) as server:
        address = f"http://127.0.0.1:{server.port}/cgi-bin/sendsms"
        failure = refused(open_kannel(address), sms_of("x"))
    assert (failure.permanent, failure.is_about_account, failure.words) == (
        permanent,
        is_about_account,
        words,
    )


def test_del_07_a_yes_in_unknown_words_may_have_sent():
    with serving(answers(b"HTTP/1.1 202 OK\r\nContent-Length: 8\r\n\r\n9: What?")) as server:
        address = f"http://127.0.0.1:{server.port}/cgi-bin/sendsms"
        failure = failed(lambda: open_kannel(address).send(sms_of("x")))
    assert isinstance(failure, ProviderUnreachable)
    assert failure.may_have_left


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("1", ReceiptState.DELIVERED, None),
        ("2", ReceiptState.FAILED, Reason.PHONE_UNREACHABLE),
        ("4", ReceiptState.SENT, None),
        ("8", ReceiptState.SENT, None),
        ("16", ReceiptState.FAILED, Reason.PROVIDER_REFUSED),
        ("34", ReceiptState.FAILED, Reason.PHONE_UNREACHABLE),
    ],
)
def test_del_10_each_state_of_a_report_is_read(kannel, status, state, reason):
    url = f"{RECEIPTS_URL}?reference=a&status={status}&reply=NACK%2F11"
    (receipt,) = open_kannel(kannel.address).read_receipts(got(url))
    assert (receipt.reference, receipt.state, receipt.reason, receipt.words) == (
        "a",
        state,
        reason,
        "NACK/11",
    )


@pytest.mark.parametrize(
    "query", ["", "reference=a", "status=1", "reference=a&status=99", "reference=&status=1"]
)
def test_a_report_that_says_nothing_known_says_nothing(kannel, query):
    assert open_kannel(kannel.address).read_receipts(got(f"{RECEIPTS_URL}?{query}")) == []


def test_an_sms_that_kannel_keeps_for_later_is_accepted(tmp_path):
    kannel = kannel_server.Kannel(tmp_path)
    try:
        kannel.start()
        kannel.stop_smsc()
        assert open_kannel(kannel.address).send(sms_of("x")).reference == REFERENCE
    finally:
        kannel.stop()
    failure = failed(lambda: open_kannel(kannel.address).send(sms_of("x")))
    assert not failure.may_have_left
