"""Where does a browser find the app, and who is signed in? The app on a loopback port, with its worker."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from portal import clock, database
from portal.models import Account
from portal.services import sessions
from portal.worker import Worker
from tests.cast import Person, Shop
from tests.drivers import KiiClient


class Quiet(WSGIRequestHandler):
    """Hundreds of lines about style sheets would bury what a failed test has to say."""

    def log_request(self, *_about: object) -> None:
        """Says nothing."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of an app that answers and sends, as `portal serve` would have it."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    worker = Worker(app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    database.on_bell(worker.ring)
    worker.start()
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    database.on_bell(database._nobody_listens)
    assert worker.stop()


@dataclass(frozen=True)
class Answer:
    """What came back over the network, read as the tests' Kii client reads it."""

    status_code: int
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    def get_data(self, as_text: bool = True) -> str:
        """The body as text."""
        return self.text


@dataclass(frozen=True)
class OverTheNetwork:
    """Takes the place of Flask's test client: the same requests, sent to a real server."""

    site: str

    def open(
        self, path: str, *, method: str, data: str | None, headers: Mapping[str, str], content_type: str
    ) -> Answer:
        """Sends one request."""
        body = None if data is None else data.encode()
        sent = {**headers, "Content-Type": content_type}
        request = urllib.request.Request(f"{self.site}{path}", data=body, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.read().decode())


def kii_at(site: str, app_id: str) -> KiiClient:
    """A client of one app, as an end user's phone holds it."""
    return KiiClient(OverTheNetwork(site), app_id)


def type_sign_in(page: Page, email: str, password: str) -> None:
    """Types an address and a password into the sign-in page, and waits for the apps."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Apps", level=1)).to_be_visible()


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The app on a loopback port, its worker beside it."""
    with served(app) as address:
        yield address


@pytest.fixture
def kii(site: str, shop: Shop) -> KiiClient:
    """A client of the shop."""
    return kii_at(site, shop.id)


@pytest.fixture
def sign_in(site: str, transaction) -> Callable[[Page, Person], None]:
    """`sign_in(page, alice)` lets Alice in without the slow password, which other tests type."""

    def enter(page: Page, person: Person) -> None:
        with transaction() as rows:
            name = rows.get_one(Account, person.id).fs_uniquifier
            values = {"_user_id": name, "_fresh": True}
            key = sessions.open_new(rows, values, person.id, clock.now())
        page.context.add_cookies([{"name": "session", "value": key, "url": site}])

    return enter


@pytest.fixture
def alices(page: Page, alice: Person, shop: Shop, sign_in) -> Page:
    """Alice's tab: she owns the shop."""
    sign_in(page, alice)
    return page
