"""How does a person in a browser knock at the portal? Signing in, posting forms, and htmx's header."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal import clock
from portal.models import Account
from portal.services import sessions
from tests import factories

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Browser:
    """A client that sends the token of its forms along, as a browser does."""

    client: FlaskClient

    def get(self, path: str, **given) -> TestResponse:
        """Opens a page."""
        return self.client.get(path, **given)

    def fragment(self, path: str, target: str = "") -> TestResponse:
        """Asks as htmx does."""
        return self.client.get(path, headers={"HX-Request": "true", "HX-Target": target})

    def post(self, path: str, values: dict | None = None, *, headers: dict | None = None) -> TestResponse:
        """Sends a form with the token of this session."""
        return self.client.post(path, data={"csrf_token": self.token()} | (values or {}), headers=headers)

    def token(self) -> str:
        """The token that a page of this session holds."""
        page = self.client.get("/apps/new")
        if page.status_code == 303:
            page = self.client.get("/sign-in")
        return unescape(TOKEN.search(page.text)[1])

    def sign_in(self, person, target: str = "") -> TestResponse:
        """Types a person's address and password."""
        return self.post("/sign-in", {"email": person.email, "password": person.password, "next": target})

    def cookie(self, name: str = "session") -> str | None:
        """What the cookie of the session holds."""
        cookie = self.client.get_cookie(name)
        return cookie.value if cookie else None


@pytest.fixture
def mails(app: Flask) -> io.StringIO:
    """What development shows of the mails that leave."""
    app.extensions["ringback"].mailer._out = io.StringIO()
    return app.extensions["ringback"].mailer._out


@pytest.fixture
def stranger(app: Flask) -> Browser:
    """A browser that nobody has signed in."""
    return Browser(app.test_client())


@pytest.fixture
def signed_in(app: Flask, transaction) -> Callable[..., Browser]:
    """`signed_in(alice)` is Alice's browser, without the slow password; test_sessions.py types it."""

    def enter(person) -> Browser:
        browser = Browser(app.test_client())
        with transaction() as rows:
            name = rows.get_one(Account, person.id).fs_uniquifier
            values = {"_user_id": name, "_fresh": True}
            browser.client.set_cookie("session", sessions.open_new(rows, values, person.id, clock.now()))
        return browser

    return enter


@pytest.fixture
def alices(shop, alice, signed_in) -> Browser:
    """Alice's browser: she owns the shop."""
    return signed_in(alice)


@pytest.fixture
def bobs(shop, bob, signed_in) -> Browser:
    """Bob's browser: he supports the shop's users."""
    return signed_in(bob)


@pytest.fixture
def charlies(shop, charlie, signed_in) -> Browser:
    """Charlie's browser: the shop is not his."""
    return signed_in(charlie)


@pytest.fixture
def customer(session, shop):
    """A user of the shop with a verified number, and another one waiting."""
    return factories.user(
        session,
        app_id=shop.id,
        id="abcdefabcdef-4abc-8abc-abcd-abcdefab",
        login_name="hanako",
        display_name="田中 花子",
        phone_number="+819012345678",
        phone_number_verified=True,
        pending_phone_number="+818087654321",
        locale="ja",
    )
