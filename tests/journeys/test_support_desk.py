"""Does support answer "why did I get no SMS?" with the keyboard alone, in at most three activations?"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from werkzeug.serving import make_server

from portal import clock as portal_clock
from portal.core import code
from portal.core.reasons import Reason
from portal.delivery import dispatch
from portal.delivery.dispatch import Post
from portal.delivery.providers.base import Accepted, ProviderRefused, Sms
from portal.models import App, Verification
from portal.services import apps
from portal.services.apps import AppChanges
from tests import factories
from tests.browser.sites import Quiet, sign_in
from tests.browser.test_keyboard import assert_focus_shows, tab_to
from tests.drivers import KiiClient, KiiUser

__all__ = ["sign_in"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_ACTIVATIONS = 3
FIRST, SECOND, ABROAD = "+819012345678", "+818087654321", "+33612345678"
# Somebody else whose number ends in the same digits.
NAMESAKE = "+819055555678"


# --- Seven people who got no SMS, and what each says on the phone ------------------------------------------


def country_closed(life: "Life") -> None:
    life.verified()
    assert life.dora.change_phone(ABROAD).status_code == 400


def asked_too_soon(life: "Life") -> None:
    life.sign_up()
    life.send()
    assert life.dora.resend().status_code == 429


def provider_refused(life: "Life") -> None:
    life.carrier.refuses = ProviderRefused("Blocked by the subscriber", permanent=True)
    life.sign_up()
    life.send()


def worker_stalled(life: "Life") -> None:
    life.sign_up()
    life.clock.advance(180)


def code_expired(life: "Life") -> None:
    life.sign_up()
    life.send()
    life.clock.advance(601)


def verification_off(life: "Life") -> None:
    life.set(phone_number_verification_required=False)
    life.sign_up()


def phone_unreachable(life: "Life") -> None:
    life.verified()
    absent = {"permanent": True, "reason": Reason.PHONE_UNREACHABLE}
    life.carrier.refuses = ProviderRefused("Absent subscriber", **absent)
    assert life.dora.change_phone(SECOND).status_code == 204
    life.send()


CASES = [
    (
        country_closed,
        "5678",
        "Nothing was sent: France is not open for this app.",
        "An owner can open it under Verification.",
    ),
    (
        asked_too_soon,
        "090-1234-5678",
        "A code was sent a moment ago. Wait before asking for it again. The next SMS is possible from",
        "Ask the user to look for the SMS that was sent, and to wait before asking again.",
    ),
    (
        provider_refused,
        "hanako.tanaka@example.com",
        "The provider refused the message.",
        "Check the number with the user. If it is right, show the operator this answer.",
    ),
    (
        worker_stalled,
        "田中",
        "The SMS waits, and nothing is being sent: the worker stands still. It has been due since",
        "Tell the operator. The SMS leaves by itself once the worker runs again.",
    ),
    (
        code_expired,
        "hanako",
        "The SMS was sent, and its code was not used in time.",
        "Send the code again: it will be a new one.",
    ),
    (
        verification_off,
        "+81 (0)90 1234 5678",
        "No SMS is sent: verification is switched off for this app.",
        "Nothing. An owner can switch verification on under Verification.",
    ),
    (
        phone_unreachable,
        "4321",
        "The carrier could not reach this phone.",
        "Ask the user to check the phone's reception, then send the code again.",
    ),
]


@pytest.mark.parametrize(
    ("happens", "told", "sentence", "what_to_do"), CASES, ids=[case[0].__name__ for case in CASES]
)
def test_support_answers_why_no_sms_came_in_three_activations(bob, life, happens, told, sentence, what_to_do):
    happens(life)
    look_up(bob, told)
    answer = bob.page.get_by_role("region", name="Why no SMS?")

    expect(answer).to_contain_text(sentence)
    expect(answer).to_contain_text(f"What to do: {what_to_do}")
    expect(answer).to_be_in_viewport()
    assert bob.activations <= MOST_ACTIVATIONS


def test_support_reads_the_providers_own_words(bob, life):
    provider_refused(life)
    look_up(bob, "hanako.tanaka@example.com")

    answer = bob.page.get_by_role("region", name="Why no SMS?")
    expect(answer).to_contain_text("The provider said: Blocked by the subscriber")


def look_up(bob: "Keyboard", told: str) -> None:
    """From the app's overview to the user: Users, what the caller says, and the one who calls."""
    page = bob.page
    bob.activate(page.get_by_role("navigation", name="Portal").get_by_role("link", name="Users", exact=True))
    expect(page.get_by_role("heading", name="Users", level=1)).to_be_visible()
    tab_to(page, page.get_by_role("searchbox", name="Search users"))
    page.keyboard.type(told)
    # Rows that came while typing go with the page that Enter leaves.
    with page.expect_navigation():
        bob.press_enter()
    called = page.get_by_role("heading", name="田中 花子", level=1)
    row = page.get_by_role("table").get_by_role("link", name="田中 花子")
    expect(called.or_(row)).to_be_visible()
    if row.is_visible():
        # What was looked for is said before anybody is opened.
        expect(page.get_by_role("status").filter(has_text="Looked for")).to_be_visible()
        bob.activate(row)
    expect(called).to_be_visible()


# --- Who is there, and what they do -----------------------------------------------------------------------


@dataclass
class Keyboard:
    """Bob's hands: Tab and letters cost nothing, each Enter is an activation."""

    page: Page
    activations: int = 0

    def activate(self, goal: Locator) -> None:
        """Goes to a link or button, and presses Enter on it."""
        tab_to(self.page, goal)
        self.press_enter()

    def press_enter(self) -> None:
        """Presses Enter where the focus is."""
        assert_focus_shows(self.page)
        self.page.keyboard.press("Enter")
        self.activations += 1


class Carrier:
    """A provider that takes every SMS and confirms none, or refuses them all."""

    name = "carrier"
    refuses: ProviderRefused | None = None

    def send(self, _sms: Sms) -> Accepted:
        """Takes an SMS, or does not."""
        if self.refuses is not None:
            raise self.refuses
        return Accepted("ref")


class Life:
    """What happened to Hanako before she called, under a clock that stands still."""

    def __init__(self, kii: KiiClient, clock, transaction, context_for, keys) -> None:
        self._kii, self.clock, self._keys = kii, clock, keys
        self._transaction, self._context_for = transaction, context_for
        self.carrier = Carrier()
        self._post = Post(transaction, keys, {"carrier": self.carrier}, now=lambda: portal_clock.now())
        self.dora: KiiUser

    def sign_up(self) -> None:
        """Hanako signs up with her number."""
        names = {"loginName": "hanako.t", "displayName": "田中 花子"}
        contacts = {"emailAddress": "hanako.tanaka@example.com", "phoneNumber": FIRST, "locale": "ja"}
        self.dora = self._kii.sign_up(**names, **contacts)

    def verified(self) -> None:
        """Hanako holds her number for a while."""
        self.sign_up()
        self.send()
        assert self.dora.verify(self._code()).status_code == 200
        self.clock.advance(61)

    def send(self) -> None:
        """One pass of a worker."""
        while dispatch.send_next(self._post):
            pass

    def set(self, **changes: object) -> None:
        """Changes the app's settings."""
        with self._transaction() as rows:
            apps.change(self._context_for(rows).in_app(self._kii.app_id), AppChanges(**changes))

    def _code(self) -> str:
        with self._transaction() as rows:
            found = rows.scalars(select(Verification).filter_by(user_id=self.dora.id)).one()
            key = self._keys.codes[found.key_version]
            return code.derive(key, found.id, found.issue, found.code_length)


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The app on a loopback port. No worker runs but the one that a test plays."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(30)
    server.server_close()


@pytest.fixture
def life(app, shop, clock, transaction, context_for, keys) -> Life:
    """Hanako, among people of similar names and numbers, in an app that a carrier serves."""
    with transaction() as rows:
        rows.get_one(App, shop.id).provider = "carrier"
        here = {"app_id": shop.id, "phone_number_verified": True}
        factories.user(rows, **here, display_name="田村 太郎", phone_number=NAMESAKE)
        for at in range(20):
            factories.user(rows, **here, phone_number=f"+8170200{at:05}")
    return Life(KiiClient(app.test_client(), shop.id), clock, transaction, context_for, keys)


@pytest.fixture
def bob(page: Page, bob, life, shop, sign_in: Callable) -> Keyboard:
    """Bob, who supports the shop, is at its overview. He does not touch the mouse."""
    sign_in(page, bob)
    page.goto(f"/apps/{shop.id}")
    return Keyboard(page)
