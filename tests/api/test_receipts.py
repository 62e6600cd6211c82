"""Does a carrier's report arrive, and nobody else's? (DEL-10)"""

import dataclasses
import io

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from portal.core import credentials, receipt_addresses
from portal.core.receipt_states import ReceiptState
from portal.core.receipt_troubles import ReceiptTrouble
from portal.database import db
from portal.delivery.providers.base import Receipt, UnreadableReceipt
from portal.factory import create_app
from portal.models import Message, UnmatchedReceipt, random_id
from portal.models import UnreadableReceipt as Counted
from tests import factories
from tests.web.carrier_kinds import DELIVERED, SECRET, carrier

__all__ = ["carrier"]

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def provider(session, shop, keys, carrier):
    """One of the shop's, with credentials, and an SMS that it took."""
    it = factories.provider(
        session, app_id=shop.id, kind="http", settings={"url": "https://sms.example/send", "charset": "auto"}
    )
    it.sealing_key_version, it.sealed = credentials.close(keys.sealing, shop.id, it.id, {"password": SECRET})
    session.flush()
    sent = {"state": "sent", "provider": "http", "provider_id": it.id, "provider_reference": "ref-1"}
    factories.message(session, app_id=shop.id, ended_at=None, sent_at=1, **sent)
    carrier.receipts = (DELIVERED,)
    return it


@pytest.fixture
def address(provider, keys):
    return f"/receipts/{provider.id}/{receipt_addresses.token(keys.receipts, provider.id)}"


@pytest.fixture
def state(session, shop):
    """How the one message of the shop fares now."""
    return lambda: session.query(Message).filter_by(app_id=shop.id).one().state


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_del_10_a_report_moves_its_message_on_once_however_often_it_comes(client, address, state, method):
    answers = [client.open(address, method=method, data=b"report") for _ in range(5)]

    assert [(each.status_code, each.data) for each in answers] == [(200, b"")] * 5
    assert state() == "delivered"


def test_the_carrier_gets_the_request_as_it_came(client, address, carrier, provider):
    body = b"a=1&a=2&b=%E3%81%82&raw=%FF"
    client.post(f"{address}?q=%2B1&q=x", data=body, content_type=FORM, headers={"X-Signature": "abc"})
    arrived = carrier.arrived[0]

    assert arrived.body == body
    assert arrived.form[:3] == (("a", "1"), ("a", "2"), ("b", "あ"))
    assert arrived.query == (("q", "+1"), ("q", "x"))
    assert arrived.url == f"http://localhost{address}?q=%2B1&q=x"
    assert (arrived.method, arrived.headers["x-signature"]) == ("POST", "abc")
    settings, secrets, around = carrier.opened[0]
    assert (settings["url"], secrets) == ("https://sms.example/send", {"password": SECRET})
    assert around.receipts_url == f"http://localhost{address}"


def test_behind_a_proxy_the_url_is_the_one_that_the_carrier_called(settings, address, carrier):
    app = create_app(dataclasses.replace(settings, base_url="https://ringback.example"))
    answer = app.test_client().post(address, headers={"Host": "ringback.example"})
    with app.app_context():
        db.engine.dispose()

    assert answer.status_code == 200
    assert carrier.arrived[0].url == f"https://ringback.example{address}"


def test_del_10_a_wrong_token_or_signature_is_403_and_changes_nothing(
    client, address, provider, state, carrier
):
    wrong = [address[:-1] + ("0" if address[-1] != "0" else "1"), f"/receipts/{provider.id}/x", address + "0"]
    answers = [client.post(each) for each in wrong] + [client.post(address, data=b"wrong")]

    assert [(each.status_code, each.data) for each in answers] == [(403, b"")] * 4
    assert state() == "sent"
    assert len(carrier.arrived) == 1


def test_del_10_another_providers_token_opens_nothing(client, address, session, keys, provider, state):
    other = factories.provider(session, app_id=provider.app_id, kind="http", settings=provider.settings)
    token = receipt_addresses.token(keys.receipts, other.id)

    assert client.post(f"/receipts/{provider.id}/{token}").status_code == 403
    # Its own door takes what it reports, but the message is not its own.
    assert client.post(f"/receipts/{other.id}/{token}").status_code in (200, 403)
    assert state() == "sent"


def test_every_unknown_provider_reads_the_same(client, keys, session, shop, provider):
    smpp = factories.provider(session, app_id=shop.id, kind="smpp")
    ids = [random_id(), random_id(), "x", "A" * 64, smpp.id]
    answers = [
        client.post(f"/receipts/{each}/{receipt_addresses.token(keys.receipts, each)}") for each in ids
    ]
    told = {(each.status_code, each.data, each.headers["Content-Type"]) for each in answers}
    assert told == {(404, b"", "text/plain")}


def test_ten_02_without_its_token_a_provider_reads_as_none(client, provider):
    answers = [client.get(f"/receipts/{each}/nonsense") for each in (provider.id, random_id())]

    told = {(each.status_code, each.data, each.headers["Content-Type"]) for each in answers}
    assert told == {(403, b"", "text/plain")}


def test_an_unknown_reference_is_taken_and_changes_nothing(client, address, carrier, state):
    carrier.receipts = (Receipt("nobody's", ReceiptState.DELIVERED), Receipt("", ReceiptState.FAILED))

    assert client.post(address).status_code == 200
    assert state() == "sent"


@pytest.mark.parametrize("size", [64 * 1024 + 1, 300 * 1024])
def test_web_10_more_than_64_kib_is_refused_whether_its_length_is_said_or_not(client, address, carrier, size):
    said = client.post(address, data=b"x" * size)
    chunked = client.post(
        address,
        input_stream=io.BytesIO(b"x" * size),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert (said.status_code, chunked.status_code) == (413, 413)
    assert carrier.arrived == []
    assert client.post(address, data=b"x" * 64 * 1024).status_code == 200


def test_no_browser_is_served_here(client, address):
    client.set_cookie("session", "x" * 43)
    answers = [
        client.post(address, headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}),
        client.options(address, headers={"Origin": "https://evil.example"}),
        client.put(address),
    ]

    assert [each.status_code for each in answers] == [200, 405, 405]
    for each in answers:
        names = {name.lower() for name, _ in each.headers}
        assert not {name for name in names if name.startswith("access-control") or name == "set-cookie"}
        assert b"<main" not in each.data


def test_a_carriers_slip_is_503_and_tells_nothing(client, address, carrier, app):
    app.testing = app.config["PROPAGATE_EXCEPTIONS"] = False
    carrier.fails = RuntimeError(SECRET)
    answer = client.post(address)

    assert (answer.status_code, answer.data, answer.headers["Retry-After"]) == (503, b"", "5")


def test_a_database_out_of_reach_is_503_so_that_the_report_comes_again(client, address, monkeypatch):
    def fails(*_given):
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("portal.api.receipts.receipts.take", fails)
    assert client.post(address).status_code == 503


@pytest.mark.parametrize("change", [{"sealed": b"x" * 40}, {"settings": {}}])
def test_without_credentials_that_open_nothing_is_believed(client, address, session, provider, change, state):
    for name, value in change.items():
        setattr(provider, name, value)
    session.flush()

    assert client.post(address).status_code == 403
    assert state() == "sent"


@pytest.mark.parametrize("odd", ["?" + "a=b&" * 1_100, "?%FF%00=%ZZ", "?" + "x" * 5_000])
def test_odd_queries_break_nothing(client, address, odd):
    assert client.get(address + odd).status_code == 200
    assert client.post(address, data=odd[1:], content_type=FORM).status_code == 200


def test_del_10_only_who_holds_the_address_and_its_signature_can_make_it_count(
    client, address, provider, session, carrier
):
    carrier.receipts = (Receipt("foreign", ReceiptState.DELIVERED),)
    strangers = [f"/receipts/{provider.id}/x", address[:-1] + ("0" if address[-1] != "0" else "1")]
    refused = [client.post(each).status_code for each in strangers]
    refused.append(client.post(address, data=b"wrong").status_code)
    assert refused == [403] * 3
    assert session.scalars(select(UnmatchedReceipt)).all() == []

    answers = {(each.status_code, each.data) for each in (client.post(address) for _ in range(3))}
    assert answers == {(200, b"")}
    [counted] = session.scalars(select(UnmatchedReceipt)).all()
    assert (counted.provider_id, counted.receipts) == (provider.id, 3)


def test_del_10_what_cannot_be_read_is_taken_counted_and_logged_without_a_word_of_it(
    client, address, provider, session, carrier, state
):
    carrier.fails = UnreadableReceipt(ReceiptTrouble.NO_STATE)
    said = {"to": "+819012345678", "text": "123456 is your code"}
    with capture_logs() as lines:
        answers = [client.post(address, json=said) for _ in range(2)]

    assert {(each.status_code, each.data) for each in answers} == {(200, b"")}
    [counted] = session.scalars(select(Counted)).all()
    assert (counted.provider_id, counted.receipts, counted.trouble) == (provider.id, 2, "no_state")
    [line, _] = [each for each in lines if each["event"] == "receipt_unreadable"]
    assert line == {
        "event": "receipt_unreadable",
        "log_level": "warning",
        "provider": provider.id,
        "trouble": "no_state",
    }
    assert state() == "sent"


def test_del_10_a_strangers_unreadable_receipts_are_not_counted(client, address, provider, session, carrier):
    carrier.fails = UnreadableReceipt(ReceiptTrouble.NO_FIELDS)
    assert client.post(f"/receipts/{provider.id}/x", data=b"?").status_code == 403
    assert client.post(address, data=b"wrong").status_code == 403
    assert session.scalars(select(Counted)).all() == []
