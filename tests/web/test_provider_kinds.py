"""Do the forms of the real carriers open, refuse at their fields what cannot be, and check what can?"""

import dataclasses
import html
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from portal.core.provider_kinds import ProviderKind
from portal.delivery.providers import installed
from portal.models import Provider
from portal.web.forms import provider_parts
from tests import factories
from tests.web.test_providers import main, refusals, seen

SID = "AC" + "0" * 32
TWILIO = {"label": "T", "carrier_account_sid": SID, "secret_auth_token": "x" * 32, "carrier_sender": "Shop"}


@pytest.fixture
def address(shop) -> str:
    return f"/apps/{shop.id}/provider"


@pytest.fixture
def settings(settings, carrier_server):
    """The carrier on this machine is allowed, as an operator would allow one in a private network."""
    return dataclasses.replace(settings, private_carriers=carrier_server.removeprefix("http://"))


@pytest.fixture
def carrier_server():
    """A carrier's API on this machine: 200 for the right token, 401 otherwise."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers.get("Authorization", "").startswith("Basic ")
            self.send_response(200 if right and "/wrong" not in self.path else 401)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def do_OPTIONS(self) -> None:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_about: object) -> None:
            """Says nothing."""

    class Server(socketserver.ThreadingMixIn, HTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_kind_can_be_added_here():
    assert set(installed.CARRIERS) == set(ProviderKind)


@pytest.mark.parametrize("kind", ProviderKind)
def test_the_form_of_each_kind_has_its_fields_and_no_secret_is_readable(alices, address, kind):
    page = alices.get(f"{address}/new/{kind.value}").text
    answer = alices.post(f"{address}/new/{kind.value}", {"label": "x"})

    for field in installed.fields_of(kind):
        tag = re.search(rf'<(input|textarea|select)[^>]*name="(carrier|secret)_{field.name}"[^>]*>', page)[0]
        if field.is_secret:
            assert 'type="password"' in tag or tag.startswith("<textarea")
            assert 'autocomplete="new-password"' in tag
    assert answer.status_code in (303, 422)


@pytest.mark.parametrize(
    "private",
    [
        "http://127.0.0.1:1",
        "https://169.254.169.254",
        "https://[::1]",
        "https://10.0.0.1",
        "https://localhost",
    ],
)
def test_web_11_an_address_that_nobody_may_call_is_refused_at_its_field(alices, address, private, session):
    answer = alices.post(f"{address}/new/http", {"label": "Own", "carrier_url": f"{private}/send"})

    assert answer.status_code == 422
    assert "carrier_url" in refusals(answer.text)
    assert session.query(Provider).count() == 0


def test_real_credentials_are_checked_with_the_real_carrier(alices, address, session, carrier_server):
    typed = {
        "label": "Own",
        "carrier_url": f"{carrier_server}/send",
        "carrier_check_url": f"{carrier_server}/account",
        "carrier_user": "shop",
        "carrier_sender": "Shop",
        "secret_secret": "correct-horse-9931",
    }
    added = alices.post(f"{address}/new/http", typed)
    assert added.status_code == 303, refusals(added.text)
    assert "accepts these credentials" in main(alices.post(f"{added.location}/check").text)

    page = alices.get(added.location).text
    assert "give an address for checking" not in main(page)
    wrong = typed | {"carrier_check_url": f"{carrier_server}/wrong", "seen": seen(page)}
    assert alices.post(added.location, wrong).status_code == 303
    assert "refused these credentials" in main(alices.post(f"{added.location}/check").text)

    page = alices.get(added.location).text
    nowhere = typed | {"carrier_check_url": "", "seen": seen(page)}
    assert alices.post(added.location, nowhere).status_code == 303
    told = main(alices.post(f"{added.location}/check").text)
    assert "The server is there. Whether it accepts these credentials shows with the first SMS" in told
    assert "accept these" not in told.replace("Whether it accepts", "")


def test_a_secret_that_no_header_carries_is_refused_in_words_that_name_it_once(alices, address):
    typed = {"label": "Own", "carrier_url": "https://sms.example/send", "secret_secret": "schlüssel"}
    text = main(alices.post(f"{address}/new/http", typed).text)

    assert "Secret: 1 to 200 letters (A to Z, a to z), digits and ASCII signs, without spaces." in text
    assert "Secret: Secret" not in text


def test_twilio_is_told_its_own_receipts_address_and_keeps_a_key_pair_together(alices, address, session):
    half = alices.post(f"{address}/new/twilio", TWILIO | {"carrier_key_sid": "SK" + "0" * 32})
    assert refusals(half.text)["secret_key_secret"] == "An API key needs both its SID and its secret."
    added = alices.post(f"{address}/new/twilio", TWILIO)
    assert added.status_code == 303
    text = main(alices.get(added.location).text)

    assert "Ringback names an address for receipts with each SMS." in text
    assert "/receipts/" not in text


def test_what_is_wrong_beside_other_fields_stands_there_in_the_first_round(alices, shop):
    body = '{"to": "{to}", "from": "{from}", "text": "{text}"'
    typed = {"label": "Tea", "carrier_url": "", "carrier_sender": "", "carrier_body": body + "}"}
    answer = alices.post(f"/apps/{shop.id}/provider/new/http", typed | {"carrier_headers": "no header"})

    assert answer.status_code == 422
    for name, told in (
        ("carrier_url", "Address is missing."),
        ("carrier_sender", "{from} stands in the body: give a sender, or take {from} out there."),
        ("carrier_headers", "One header a line, such as Authorization: Bearer {secret}."),
    ):
        assert told in answer.text.split(f'id="{name}-error"')[1].split("</p>")[0]


def test_the_form_says_when_a_sender_is_needed_and_what_signatures_are_over(alices, shop):
    page = alices.get(f"/apps/{shop.id}/provider/new/http").text

    sender = page.split('id="carrier_sender-hint"')[1].split("</p>")[0]
    assert "Needed while {from} stands in the body, as it does to begin with" in sender
    assert page.index('id="carrier_sender"') < page.index('id="carrier_body"')
    for name in ("signature_header", "receipt_header"):
        hint = page.split(f'id="carrier_{name}-hint"')[1].split("</p>")[0]
        assert "HMAC-SHA-256 in hex over" in hint
        assert ",v1=" in hint


# --- The parts of a form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ProviderKind)
def test_each_field_of_a_kind_stands_under_one_heading(kind):
    fields = installed.fields_of(kind)
    found = provider_parts.under(kind, fields)
    assert sorted(each.name for named in found.values() for each in named) == sorted(
        each.name for each in fields
    )
    assert set(provider_parts._PLACES.get(kind, {})) <= {each.name for each in fields}


def folds(page: str) -> dict[str, bool]:
    """The folded parts of a form, and whether each is open."""
    found = re.findall(r'<details class="card form-fold"[^>]*?( open)?>\s*<summary>\s*<h2>(.*?)</h2>', page)
    return {title: bool(is_open) for is_open, title in found}


def test_what_few_need_is_folded_until_it_holds_something(alices, address, session, carrier_server):
    page = alices.get(f"{address}/new/http").text
    typed = {"label": "Own", "carrier_url": f"{carrier_server}/send", "carrier_sender": "Shop"}
    shut = {"Reading receipts": False, "Checking the credentials": False, "Signatures": False}
    assert folds(page) == shut

    # What is wrong is seen, and what somebody wrote or stored.
    wrong = alices.post(f"{address}/new/http", typed | {"carrier_check_url": "ftp://x"})
    assert folds(wrong.text) == shut | {"Checking the credentials": True}
    added = alices.post(f"{address}/new/http", typed | {"secret_signing_key": "correct-horse-battery"})
    assert folds(alices.get(added.location).text) == shut | {"Signatures": True}
    seen_there = {"seen": seen(alices.get(added.location).text), "forget_signing_key": "y"}
    changed = alices.post(added.location, typed | seen_there | {"carrier_check_url": f"{carrier_server}/x"})
    assert changed.status_code == 303
    assert folds(alices.get(added.location).text) == shut | {"Checking the credentials": True}


@pytest.mark.parametrize("arrives", [factories.unmatched_receipt, factories.unreadable_receipt])
def test_how_receipts_are_read_is_open_while_the_page_sends_its_reader_there(
    alices, address, session, carrier_server, arrives
):
    typed = {"label": "Own", "carrier_url": f"{carrier_server}/send", "carrier_sender": "Shop"}
    # As a browser sends back what it was given.
    [words] = [
        each.default for each in installed.fields_of(ProviderKind.HTTP) if each.name == "receipt_words"
    ]
    typed["carrier_receipt_words"] = words.replace("\n", "\r\n")
    added = alices.post(f"{address}/new/http", typed)
    assert not folds(alices.get(added.location).text)["Reading receipts"]
    arrives(session, provider_id=added.location.rpartition("/")[2])
    assert folds(alices.get(added.location).text)["Reading receipts"]


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ({}, "the body"),
        ({"carrier_body": "", "carrier_url": "https://sms.example/?from={from}"}, "the address"),
        ({"carrier_body": "", "carrier_headers": "X-From: {from}"}, "the headers"),
        ({"carrier_headers": "X-From: {from}"}, "the body and the headers"),
    ],
)
def test_no_request_is_saved_that_would_name_an_empty_sender(alices, address, session, typed, where):
    fresh = alices.get(f"{address}/new/http").text
    body = html.unescape(re.search(r'name="carrier_body"[^>]*>\s*(.*?)</textarea>', fresh, re.DOTALL)[1])
    filled = {"label": "Tea", "carrier_url": "https://sms.example/", "carrier_body": body}
    answer = alices.post(f"{address}/new/http", filled | typed)

    assert answer.status_code == 422
    told = f"{{from}} stands in {where}: give a sender, or take {{from}} out there."
    assert refusals(answer.text)["carrier_sender"] == told
    assert session.query(Provider).count() == 0
