"""SMS go over a real SMPP bind in every script and length, and receipts come back, whatever befalls it."""

import threading
import time

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from portal import clock as portal_clock
from portal.core.provider_kinds import ProviderKind
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.delivery.providers import smpp, smpp_link, smpp_pdus, smpp_session
from portal.delivery.providers.base import (
    Arrived,
    ProviderRefused,
    ProviderUnreachable,
    Receipt,
    Sms,
    WrongField,
    WrongSignature,
)
from portal.delivery.providers.judging import ACCOUNT, LATER, MESSAGE, PHONE
from portal.delivery.providers.smpp_pdus import Pdu
from tests.delivery.log_lines import every_line
from tests.delivery.odd_servers import Authority
from tests.delivery.providers import kannel_server
from tests.delivery.providers.conftest import REFERENCE, TO, failed, open_here, refused
from tests.delivery.providers.kannel_server import until
from tests.delivery.providers.smsc import (
    BIND,
    DELIVER,
    ENQUIRE,
    PASSWORD,
    SUBMIT,
    SYSTEM_ID,
    UNBIND,
    RawSmsc,
    Smsc34,
    accepts,
    deliver,
    receipt,
    settle,
    unit,
)

JAPANESE = "確認コードは 482913 です。"


@pytest.fixture
def open_smpp():
    """`open_smpp(port)` is a carrier over the SMSC there; its receipts are in `carrier.told`."""
    opened = []

    def make(port: int, **values: str):
        usual = {
            "host": "127.0.0.1",
            "port": str(port),
            "tls": "off",
            "system_id": SYSTEM_ID,
            "password": PASSWORD,
            "sender": "Coffee",
        }
        told: list[Receipt] = []
        address = f"http://{(usual | values)['host']}:{port}"
        carrier = open_here(
            ProviderKind.SMPP, address, usual | values, on_receipts=lambda found: told.extend(found) or 1
        )
        carrier.told = told
        opened.append(carrier)
        return carrier

    yield make
    for carrier in opened:
        carrier.close()


@pytest.fixture
def smsc():
    """smpp34's server."""
    server = Smsc34()
    try:
        yield server
    finally:
        server.stop()


def sms_of(text: str = "Your code is 482913.", reference: str = REFERENCE) -> Sms:
    """An SMS with this text."""
    return Sms(reference, TO, text, portal_clock.now() + 600_000)


# --- Against a server that others wrote --------------------------------------------------------------------


def test_a_gsm_text_arrives_in_the_alphabet_of_the_smsc_and_asks_for_a_receipt(smsc, open_smpp):
    carrier = open_smpp(smsc.port)
    assert carrier.send(sms_of("Code {482913} für 5 €")).reference == "m1"
    (event,) = smsc.submits
    assert event.short_message == b"Code \x1b\x28482913\x1b\x29 f\x7er 5 \x1b\x65"
    assert (event.data_coding, event.esm_class, event.registered_delivery) == (0, 0, 1)
    assert (event.destination_addr, event.dest_addr_ton, event.dest_addr_npi) == (TO[1:], 1, 1)
    assert (event.source_addr, event.source_addr_ton, event.source_addr_npi) == ("Coffee", 5, 0)
    assert [tlv.tag for tlv in event.tlvs] == [smpp34.TLV_USER_MESSAGE_REFERENCE]


def test_japanese_arrives_as_ucs_2(smsc, open_smpp):
    open_smpp(smsc.port).send(sms_of(JAPANESE))
    (event,) = smsc.submits
    assert (event.short_message.decode("utf-16-be"), event.data_coding) == (JAPANESE, 8)


@pytest.mark.parametrize(("text", "parts"), [("Your code is 482913. " * 15, 3), (JAPANESE * 9 + "🙂", 3)])
def test_a_long_text_is_cut_with_headers_that_join_it_and_has_one_receipt(smsc, open_smpp, text, parts):
    carrier = open_smpp(smsc.port)
    assert carrier.send(sms_of(text)).reference == "m1"
    assert len(smsc.submits) == parts
    heads = [event.short_message[:6] for event in smsc.submits]
    assert [(head[:3], head[4], head[5]) for head in heads] == [
        (b"\5\0\3", parts, n + 1) for n in range(parts)
    ]
    assert len({head[3] for head in heads}) == 1
    assert {event.esm_class for event in smsc.submits} == {0x40}
    assert all(len(event.short_message) <= 160 for event in smsc.submits)
    until(lambda: len(smsc.acknowledged) == parts)
    assert [(each.reference, each.state) for each in carrier.told] == [("m1", ReceiptState.DELIVERED)]


def test_del_03_every_try_of_one_message_carries_the_same_marks(smsc, open_smpp):
    carrier = open_smpp(smsc.port)
    for _ in range(2):
        carrier.send(sms_of(JAPANESE * 5))
    carrier.send(sms_of(JAPANESE * 5, "another"))
    marks = [(event.short_message[3], event.tlvs[0].as_int()) for event in smsc.submits]
    assert marks[:2] == marks[2:4] != marks[4:]


def test_del_10_receipts_come_over_the_bind_and_are_acknowledged(smsc, open_smpp):
    carrier = open_smpp(smsc.port)
    smsc.stat = "UNDELIV"
    carrier.send(sms_of())
    until(lambda: smsc.acknowledged == [0])
    (told,) = carrier.told
    assert (told.reference, told.state, told.reason) == ("m1", ReceiptState.FAILED, Reason.PHONE_UNREACHABLE)
    assert told.words == "UNDELIV 000"


def test_one_bind_serves_many_senders_at_once(smsc, open_smpp):
    carrier, references = open_smpp(smsc.port), []
    threads = [
        threading.Thread(target=lambda n=n: references.append(carrier.send(sms_of(f"code {n}")).reference))
        for n in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(references) == sorted(f"m{n + 1}" for n in range(30))
    assert smsc.binds == 1
    until(lambda: len(carrier.told) == 30)


def test_del_06_an_smsc_that_gets_too_much_is_given_a_rest(smsc, open_smpp):
    smsc.status_of = lambda count: smpp34.ESME_RTHROTTLED if count == 1 else 0
    carrier = open_smpp(smsc.port)
    failure = refused(carrier, sms_of())
    assert (failure.permanent, failure.retry_after, failure.may_have_left) == (False, 1_000, False)
    assert carrier.send(sms_of()).reference == "m2"


def test_a_part_that_is_too_much_is_sent_again_while_the_others_wait(smsc, open_smpp):
    smsc.status_of = lambda count: smpp34.ESME_RMSGQFUL if count == 2 else 0
    carrier = open_smpp(smsc.port)
    assert carrier.send(sms_of(JAPANESE * 5)).reference == "m1"
    assert [event.short_message[5] for event in smsc.submits] == [1, 2, 2]
    until(lambda: carrier.told)


@pytest.mark.parametrize("status", [0x58, 0x45, 0x0A])
def test_del_03_an_sms_whose_second_part_is_refused_may_have_left_in_part(
    smsc, open_smpp, monkeypatch, status
):
    monkeypatch.setattr(smpp, "TOTAL", 1.0)
    smsc.status_of = lambda count: status if count >= 2 else 0
    assert refused(open_smpp(smsc.port), sms_of(JAPANESE * 5)).may_have_left


def test_del_07_a_bind_that_ends_between_two_parts_may_have_sent(open_smpp):
    def play(smsc, command, sequence, body):
        found = accepts(smsc, command, sequence, body)
        return found if command != SUBMIT else found + unit(UNBIND, b"", 0, 77)

    with RawSmsc(play) as smsc:
        assert failed(lambda: open_smpp(smsc.port).send(sms_of(JAPANESE * 5))).may_have_left
        assert len(smsc.of(SUBMIT)) == 1


def test_after_an_unbind_it_binds_again_and_sends(smsc, open_smpp):
    carrier = open_smpp(smsc.port)
    carrier.send(sms_of())
    smsc.unbind()
    until(lambda: smsc.binds == 2)
    assert carrier.send(sms_of()).reference == "m2"
    until(lambda: len(carrier.told) == 2)


def test_after_a_restart_of_the_smsc_it_binds_again_by_itself(open_smpp):
    with RawSmsc(accepts) as smsc:
        carrier = open_smpp(smsc.port)
        carrier.send(sms_of())
        smsc.cut()
        until(lambda: len(smsc.of(BIND)) == 2)
        carrier.send(sms_of())


def test_the_check_binds_and_sends_nothing(smsc, open_smpp):
    assert open_smpp(smsc.port).check()
    until(lambda: smsc.binds == 1)
    assert smsc.submits == []


def test_closing_unbinds_and_ends_the_thread(open_smpp):
    with RawSmsc(accepts) as smsc:
        carrier = open_smpp(smsc.port)
        carrier.check()
        thread = carrier._session._thread
        carrier.close()
        carrier.close()
        assert len(smsc.of(UNBIND)) == 1
        assert not thread.is_alive()


# --- Kannel as the client of our tests' SMSC, to compare with ----------------------------------------------


@pytest.mark.xdist_group("kannel")
def test_an_sms_arrives_as_kannel_itself_would_send_it(smsc, open_smpp, tmp_path):
    group = f"smsc = smpp\nsmsc-id = S\nhost = 127.0.0.1\nport = {smsc.port}\nsmsc-username = {SYSTEM_ID}"
    group += f'\nsmsc-password = {PASSWORD}\nsystem-type = ""\ntransceiver-mode = true'
    kannel = kannel_server.Kannel(tmp_path, group)
    try:
        kannel.start()
        until(kannel.is_online)
        through = open_here(
            ProviderKind.KANNEL,
            kannel.address,
            {"address": kannel.address, "user": "tester", "password": "foobar", "sender": "Coffee"},
        )
        for text in ("Code {482913} für 5 €", JAPANESE, JAPANESE * 5):
            before = len(smsc.submits)
            through.send(sms_of(text))
            count = len(smpp_pdus.parts(text))
            until(lambda at=before + count: len(smsc.submits) == at)
            open_smpp(smsc.port).send(sms_of(text))
            theirs, ours = smsc.submits[before : before + count], smsc.submits[before + count :]
            assert [_core(event) for event in ours] == [_core(event) for event in theirs]
    finally:
        kannel.stop()


def _core(event: smpp34.SubmitSmEvent) -> tuple[object, ...]:
    # The mark that joins parts is each sender's own.
    raw = event.short_message
    body = raw[:3] + raw[4:] if event.esm_class & 0x40 else raw
    return (
        body,
        event.data_coding,
        event.esm_class & 0x40,
        event.source_addr,
        event.destination_addr.strip("+"),
    )


# --- Against bytes that no server should send --------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (0x08, LATER),
        (0x14, LATER),
        (0x58, LATER),
        (0x45, LATER),
        (0x64, LATER),
        (0xFF, LATER),
        (0x0A, ACCOUNT),
        (0x0E, ACCOUNT),
        (0x0F, ACCOUNT),
        (0x0B, PHONE),
        (0x51, PHONE),
        (0x01, MESSAGE),
        (0x62, MESSAGE),
        (0x65, MESSAGE),
        (0x400, MESSAGE),
        (0x44F, MESSAGE),
        (0xFFFF_FFFF, MESSAGE),
    ],
)
def test_del_06_each_status_decides_whether_asking_again_can_help(open_smpp, status, verdict):
    def play(_smsc, command, sequence, _body):
        return unit(command | 0x80000000, b"", status, sequence)

    with RawSmsc(play) as smsc:
        failure = refused(open_smpp(smsc.port), sms_of())
    assert (failure.permanent, failure.reason, failure.is_about_account) == (
        verdict.permanent,
        verdict.reason,
        verdict.is_about_account,
    )
    assert failure.words == f"SMPP status 0x{status:08X}"
    assert not failure.may_have_left


@pytest.mark.parametrize("status", [0x0D, 0x0E, 0x0F, 0x53])
def test_a_bind_that_is_refused_tells_that_the_account_is_the_trouble(open_smpp, status):
    with RawSmsc(accepts, bind_status=status) as smsc:
        carrier = open_smpp(smsc.port)
        for call in (carrier.check, lambda: carrier.send(sms_of())):
            failure = failed(call)
            assert isinstance(failure, ProviderRefused)
            assert failure.is_about_account
        assert smsc.of(SUBMIT) == []


def test_a_bind_that_is_refused_for_now_is_tried_again(open_smpp):
    with RawSmsc(accepts, bind_status=0x08) as smsc:
        carrier = open_smpp(smsc.port)
        failure = failed(carrier.check)
        assert isinstance(failure, ProviderUnreachable)
        assert not failure.may_have_left
        smsc.bind_status = 0
        carrier.send(sms_of())


def test_del_07_where_nobody_listens_nothing_has_left(open_smpp):
    with RawSmsc(accepts) as smsc:
        port = smsc.port
    began = time.monotonic()
    assert not failed(lambda: open_smpp(port).send(sms_of())).may_have_left
    assert time.monotonic() - began < 3


def test_del_07_a_connection_that_breaks_after_the_unit_was_written_may_have_sent(open_smpp):
    def play(smsc, _command, _sequence, _body):
        smsc.cut()

    with RawSmsc(play) as smsc:
        assert failed(lambda: open_smpp(smsc.port).send(sms_of())).may_have_left
        # It binds again, and yet the unit that was lost is never written a second time.
        until(lambda: len(smsc.of(BIND)) >= 2)
        settle()
        assert len(smsc.of(SUBMIT)) == 1


def test_del_07_an_answer_that_never_comes_may_have_sent(open_smpp, monkeypatch):
    monkeypatch.setattr(smpp, "TOTAL", 0.5)
    with RawSmsc(lambda *_: None) as smsc:
        began = time.monotonic()
        assert failed(lambda: open_smpp(smsc.port).send(sms_of())).may_have_left
        assert time.monotonic() - began < 2


def test_del_05_what_was_not_written_in_time_is_never_written(open_smpp, monkeypatch):
    monkeypatch.setattr(smpp, "TOTAL", 0.6)
    with RawSmsc(accepts, bind_status=0x08) as smsc:
        carrier = open_smpp(smsc.port)
        assert not failed(lambda: carrier.send(sms_of())).may_have_left
        smsc.bind_status = 0
        until(lambda: len(smsc.of(BIND)) >= 2)
        settle()
        assert smsc.of(SUBMIT) == []


def test_a_bind_that_never_answers_ends_in_time(open_smpp):
    with RawSmsc(accepts) as smsc:
        smsc._answer = lambda connection: connection.recv(1) or time.sleep(0.1)
        carrier = open_smpp(smsc.port)
        object.__setattr__(carrier._where, "connect", 0.3)
        began = time.monotonic()
        assert not failed(carrier.check).may_have_left
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 400 Bad\r\n\r\n" * 3, b"\0" * 32, unit(0x80000009)[:15], b"\xff" * 64]
)
def test_what_is_no_smpp_is_no_bind(open_smpp, raw):
    with RawSmsc(accepts) as smsc:
        smsc._answer = lambda connection: (connection.recv(99), connection.sendall(raw), connection.close())
        assert not failed(lambda: open_smpp(smsc.port).send(sms_of())).may_have_left


@pytest.mark.parametrize("tail", [b"", b"\0" * 4, b"\0\x1e\xff\xff", b"\x04\x24"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"no id at all\0",
        deliver(b""),
        deliver(b"id:m9"),
        deliver(b"stat:DELIVRD"),
        deliver(b"hi", esm_class=0),
    ],
    ids=range(7),
)
def test_a_receipt_that_cannot_be_read_is_acknowledged_and_the_bind_stays(open_smpp, body, tail):
    with RawSmsc(accepts) as smsc:
        carrier = open_smpp(smsc.port)
        carrier.check()
        smsc.say(DELIVER, body + tail)
        until(lambda: smsc.of(DELIVER | 0x80000000))
        carrier.send(sms_of())
        assert (carrier.told, len(smsc.of(BIND))) == ([], 1)


STATES = [
    ("ENROUTE", ReceiptState.SENT, None),
    ("ACCEPTD", ReceiptState.SENT, None),
    ("DELIVRD", ReceiptState.DELIVERED, None),
    ("EXPIRED", ReceiptState.FAILED, Reason.PHONE_UNREACHABLE),
    ("DELETED", ReceiptState.FAILED, Reason.PHONE_UNREACHABLE),
    ("UNDELIV", ReceiptState.FAILED, Reason.PHONE_UNREACHABLE),
    ("REJECTD", ReceiptState.FAILED, Reason.PROVIDER_REFUSED),
]


@pytest.mark.parametrize(("stat", "state", "reason"), STATES)
@pytest.mark.parametrize("err", ["000", "abc", "0x45"])
def test_del_10_each_state_of_a_receipt_is_read_in_any_dialect(open_smpp, stat, state, reason, err):
    with RawSmsc(accepts) as smsc:
        carrier = open_smpp(smsc.port)
        carrier.check()
        smsc.say(DELIVER, deliver(receipt("m5", stat, err)))
        (told,) = until(lambda: carrier.told)
    assert (told.reference, told.state, told.reason, told.words) == ("m5", state, reason, f"{stat} {err}")


@pytest.mark.parametrize("stat", ["UNKNOWN", "NOSTATE", ""])
def test_a_state_that_tells_nothing_is_no_receipt(stat):
    assert smpp_pdus.read_receipt(Pdu(DELIVER, 0, 1, deliver(receipt("m5", stat)))) is None


def test_a_receipt_may_be_in_its_parameters_alone():
    extras = b"\0\x1e\0\3m5\0" + b"\x04\x27\0\1\2"
    told = smpp_pdus.read_receipt(Pdu(DELIVER, 0, 1, deliver(b"", extras=extras)))
    assert (told.part_id, told.state) == ("m5", ReceiptState.DELIVERED)


def test_a_receipt_may_be_in_the_payload_and_behind_a_header():
    text = receipt("m5")
    payload = b"\x04\x24" + len(text).to_bytes(2, "big") + text
    assert smpp_pdus.read_receipt(Pdu(DELIVER, 0, 1, deliver(b"", extras=payload))).part_id == "m5"
    with_header = deliver(b"\5\0\3\1\1\1" + text, esm_class=0x44)
    assert smpp_pdus.read_receipt(Pdu(DELIVER, 0, 1, with_header)).part_id == "m5"


@given(st.binary(max_size=200))
def test_whatever_bytes_come_reading_them_raises_nothing(raw):
    smpp_pdus.read_receipt(Pdu(DELIVER, 0, 1, raw))
    smpp_pdus.read_receipt(Pdu(DELIVER, 0, 1, deliver(raw[:100], extras=raw[100:])))


def test_one_failed_part_fails_the_sms_and_unknown_ids_are_told_as_they_are(open_smpp):
    with RawSmsc(accepts) as smsc:
        carrier = open_smpp(smsc.port)
        assert carrier.send(sms_of(JAPANESE * 5)).reference == "m1"
        smsc.say(DELIVER, deliver(receipt("m1")))
        settle()
        assert carrier.told == []
        smsc.say(DELIVER, deliver(receipt("m2", "UNDELIV")))
        smsc.say(DELIVER, deliver(receipt("x7")))
        until(lambda: len(carrier.told) == 2)
    found = {each.reference: each.state for each in carrier.told}
    assert found == {"m1": ReceiptState.FAILED, "x7": ReceiptState.DELIVERED}


def test_a_receipt_that_is_faster_than_its_answer_counts_all_the_same(open_smpp):
    def play(smsc, command, sequence, body):
        if command == SUBMIT:
            part_id = f"m{len(smsc.of(SUBMIT))}"
            smsc.say(DELIVER, deliver(receipt(part_id)))
            settle(0.05)
        return accepts(smsc, command, sequence, body)

    with RawSmsc(play) as smsc:
        carrier = open_smpp(smsc.port)
        assert carrier.send(sms_of(JAPANESE * 9)).reference == "m1"
        until(lambda: len(smsc.of(DELIVER | 0x80000000)) == 3)
    assert [(each.reference, each.state) for each in carrier.told] == [("m1", ReceiptState.DELIVERED)]


@pytest.mark.parametrize(
    ("setting", "answered", "told"),
    [
        ("same", "0A1F", "0A1F"),
        ("decimal of hexadecimal", "0a1f", "0002591"),
        ("hexadecimal of decimal", "2591", "A1F"),
    ],
)
def test_numbers_whose_base_the_carrier_changes_are_the_same_number(open_smpp, setting, answered, told):
    def play(_smsc, command, sequence, _body):
        return unit(command | 0x80000000, answered.encode() + b"\0", 0, sequence)

    with RawSmsc(play) as smsc:
        carrier = open_smpp(smsc.port, receipt_ids=setting)
        reference = carrier.send(sms_of()).reference
        smsc.say(DELIVER, deliver(receipt(told)))
        (found,) = until(lambda: carrier.told)
    assert found.reference == reference


def test_a_receipt_that_could_not_be_noted_is_asked_for_again(open_smpp):
    with RawSmsc(accepts) as smsc:
        carrier = open_smpp(smsc.port)

        def broken(_found):
            raise OSError("the database is away")

        carrier._on_receipts = broken
        carrier.check()
        smsc.say(DELIVER, deliver(receipt("m5")))
        until(lambda: smsc.of(DELIVER | 0x80000000))
        assert [status for command, status, _, _ in smsc.units if command == DELIVER | 0x80000000] == [0x64]


def test_an_smsc_that_is_silent_is_asked_whether_it_is_there_and_left_when_it_is_not(open_smpp, monkeypatch):
    monkeypatch.setattr(smpp_link, "QUIET", 0.1)
    monkeypatch.setattr(smpp_link, "PATIENCE", 0.2)
    with RawSmsc(lambda *_: None) as smsc:
        open_smpp(smsc.port).check()
        until(lambda: len(smsc.of(BIND)) >= 2)
        assert smsc.of(ENQUIRE)


def test_whatever_the_smsc_asks_is_answered(open_smpp):
    with RawSmsc(accepts) as smsc:
        open_smpp(smsc.port).check()
        smsc.say(ENQUIRE, sequence=5)
        smsc.say(0x0103, sequence=6)
        until(lambda: len(smsc.units) == 3)
        assert [(c, s, n) for c, s, n, _ in smsc.units[1:]] == [(0x80000015, 0, 5), (0x80000103, 3, 6)]


def test_del_05_the_validity_is_set_and_a_dead_one_is_as_short_as_can_be():
    for seconds, expected in [(600, "000000001000000R"), (61, "000000000101000R")]:
        (made,) = smpp_pdus.submits(REFERENCE, "Coffee", TO, "x", seconds)
        assert smpp34.decode(made.pdu()).validity_period == expected


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Coffee Club", ("Coffee Club", 5, 0)),
        ("+15550100", ("15550100", 1, 1)),
        ("155501000", ("155501000", 1, 1)),
        ("55501", ("55501", 3, 0)),
    ],
)
def test_a_sender_is_told_by_its_kind(sender, expected):
    (made,) = smpp_pdus.submits(REFERENCE, sender, TO, "x", 60)
    found = smpp34.decode(made.pdu())
    assert (found.source_addr, found.source_addr_ton, found.source_addr_npi) == expected


def test_over_tls_the_name_is_looked_at_and_a_stranger_is_told_nothing(open_smpp, tmp_path, monkeypatch):
    authority, seen = Authority(tmp_path), []
    monkeypatch.setattr(smpp.httpx2, "create_ssl_context", authority.trust)
    with RawSmsc(accepts, context=authority.server("127.0.0.1", seen)) as smsc:
        open_smpp(smsc.port, tls="on").send(sms_of())
        assert len(smsc.of(SUBMIT)) == 1
    with RawSmsc(accepts, context=authority.server("other.example.com")) as smsc:
        failure = failed(lambda: open_smpp(smsc.port, tls="on").send(sms_of()))
        assert not failure.may_have_left
        assert smsc.units == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"host": "10.0.0.1", "tls": "on"}, "host"),
        ({"host": "smpp.example.com", "tls": "off"}, "host"),
        ({"host": "localhost", "tls": "on"}, "host"),
        ({"port": "99999", "tls": "on", "host": "smpp.example.com"}, "host"),
        ({"port": "0"}, "port"),
        ({"password": "ninechars"}, "password"),
        ({"system_id": "sixteen-letters-"}, "system_id"),
    ],
    ids=repr,
)
def test_web_11_a_host_that_must_not_be_called_is_refused_when_it_is_set(values, field):
    usual = {"host": "smpp.example.com", "system_id": "a", "password": "b", "sender": "Coffee"}
    with pytest.raises(WrongField) as wrong:
        open_here(ProviderKind.SMPP, "http://127.0.0.1:1", usual | values)
    assert wrong.value.field == field


def test_nothing_arrives_at_an_address(open_smpp):
    with pytest.raises(WrongSignature):
        open_smpp(1).read_receipts(Arrived("POST", "https://ringback.example/receipts/x/y"))


def test_pii_02_no_log_line_and_no_word_names_what_was_sent(open_smpp, capfd):
    with every_line() as lines, RawSmsc(accepts) as smsc:
        carrier = open_smpp(smsc.port)
        carrier.send(sms_of())
        smsc.say(DELIVER, deliver(receipt("m1")))
        until(lambda: carrier.told)
        smsc.play = lambda playing, *_: playing.cut()
        failure = failed(lambda: carrier.send(sms_of()))
        carrier.close()
    told = f"{failure!r} {failure.words} {carrier._where!r} {carrier.told!r}"
    written = f"{capfd.readouterr()} {lines.getvalue()} {told}"
    for canary in ("482913", TO[1:], PASSWORD, "Your code"):
        assert canary not in written


def test_a_session_that_was_closed_has_written_nothing():
    with RawSmsc(accepts) as smsc:
        where = smpp_link.Where(lambda: ["127.0.0.1"], "x", smsc.port, "a", "b")
        session = smpp_session.Session(where, None)
        session.close()
        with pytest.raises(smpp_link.NotBound):
            session.wait(session.link(0), 1)
