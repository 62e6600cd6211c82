"""From the Provider page to a phone and back: do pages, worker, carrier and receipts door fit together?"""

import dataclasses
import json
import re
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import select

from portal.models import Message, Provider
from portal.worker import Worker
from tests.drivers import KiiClient
from tests.web.test_providers import main, refusals

NUMBER = "+819012345678"


@dataclasses.dataclass
class Sink:
    """A carrier's API on this machine: what it was sent, and whether it answers as one that is down."""

    address: str = ""
    is_down: bool = False
    got: list[tuple[str, dict]] = dataclasses.field(default_factory=list)


@pytest.fixture
def sink():
    """A carrier that takes any SMS under any path, for which it is told apart."""
    it = Sink()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_down = it.is_down and self.path == "/first"
            if not is_down:
                it.got.append((self.path, body))
            self.send_response(503 if is_down else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_about: object) -> None:
            """Says nothing."""

    class Server(socketserver.ThreadingMixIn, HTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        it.address = f"http://127.0.0.1:{server.server_port}"
        yield it
        server.shutdown()


@pytest.fixture
def settings(settings, sink):
    """The operator allows the carrier of this network, and says where Ringback is reached."""
    private = sink.address.removeprefix("http://")
    return dataclasses.replace(settings, private_carriers=private, base_url="http://localhost")


@pytest.fixture
def kii(app, shop) -> KiiClient:
    """The shop's client."""
    return KiiClient(app.test_client(), shop.id, shop.client_id, shop.client_secret)


@pytest.fixture
def worker(app):
    """Ringback's worker, which sends when it is told to."""
    return Worker(app)


def add(alices, shop, sink, label: str) -> str:
    """Adds a carrier on the page, and checks it is there; returns the address of its page."""
    typed = {"label": label, "carrier_url": f"{sink.address}/{label}", "carrier_sender": "Shop"}
    answer = alices.post(f"/apps/{shop.id}/provider/new/http", typed)
    assert answer.status_code == 303, refusals(answer.text)
    return answer.location


def test_an_owner_goes_live_a_user_gets_the_code_and_its_receipt_is_seen(
    alices, shop, sink, kii, worker, client, session
):
    page = add(alices, shop, sink, "first")
    assert alices.post(f"/apps/{shop.id}/provider/live").status_code == 303
    user = kii.sign_up(loginName="dora", phoneNumber=NUMBER, locale="en")
    worker.empty_outbox()
    [(_, sms)] = sink.got
    assert sms["to"] == NUMBER
    # Where the carrier was told to report, it does.
    where = sms["receipts_url"].removeprefix("http://localhost")
    report = {"reference": sms["reference"], "status": "DELIVRD"}
    assert client.post(where, json=report).status_code == 200
    assert user.verify(re.search(r"\d{6}", sms["text"])[0]).status_code == 200

    assert session.scalars(select(Message.state)).all() == ["delivered"]
    assert "Last 24 hours: 1 delivered." in main(alices.get(page).text)
    assert "first" in main(alices.get(f"/apps/{shop.id}/messages?outcome=delivered").text)
    told = main(alices.get(f"/apps/{shop.id}/users/{user.id}").text)
    assert "The carrier says: delivered to" in told


def test_del_07_the_second_in_the_order_takes_over_and_every_page_says_so(
    alices, bobs, shop, sink, kii, worker, session
):
    add(alices, shop, sink, "first")
    add(alices, shop, sink, "second")
    alices.post(f"/apps/{shop.id}/provider/live")
    sink.is_down = True
    for at in range(5):
        kii.sign_up(loginName=f"user{at}", phoneNumber=f"+81901234567{at}", locale="en")
        worker.empty_outbox()

    assert [path for path, _ in sink.got] == ["/second"] * 5
    assert session.scalar(select(Provider.paused_until).where(Provider.label == "first")) is not None
    told = "first failed again and again and is paused. Meanwhile second takes its messages."
    for browser in (alices, bobs):
        assert told in main(browser.get(f"/apps/{shop.id}/users").text)
    # Put right and saved, it starts afresh.
    sink.is_down = False
    first = session.scalar(select(Provider.id).where(Provider.label == "first"))
    for on in ("", "y"):
        alices.post(f"/apps/{shop.id}/provider/{first}/switch", {"on": on} if on else {})
    kii.sign_up(loginName="erin", phoneNumber="+819012345699", locale="en")
    worker.empty_outbox()
    assert sink.got[-1][0] == "/first"
    assert told not in main(alices.get(f"/apps/{shop.id}/users").text)
