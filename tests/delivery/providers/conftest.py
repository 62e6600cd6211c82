"""Carriers of every kind, opened as dispatch opens them, and servers on this machine to talk to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from pytest_httpserver import HTTPServer

from portal import clock
from portal.core.provider_kinds import ProviderKind
from portal.delivery.providers import installed
from portal.delivery.providers.base import (
    Arrived,
    Carrier,
    ProviderFailure,
    ProviderRefused,
    Sms,
    Surroundings,
)

RECEIPTS_URL = "https://ringback.example/receipts/0123456789abcdef/00112233445566778899aabbccddeeff"
TO, CODE = "+819012345678", "482913"
TEXT = f"Your code is {CODE}. Ünïcode too."
REFERENCE = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    """Where the local HTTP server listens; the port is free at random."""
    return "127.0.0.1", 0


@pytest.fixture
def sms() -> Sms:
    """An SMS whose code lives for ten minutes."""
    return Sms(REFERENCE, TO, TEXT, clock.now() + 10 * clock.MINUTE)


def open_here(kind: ProviderKind, address: str, values: dict[str, str], **surroundings) -> Carrier:
    """A carrier over a server of this machine at `address` (`http://127.0.0.1:port`)."""
    found = Surroundings(
        receipts_url=RECEIPTS_URL, private_hosts=frozenset({urlsplit(address).netloc}), **surroundings
    )
    settings, secrets = installed.divide(kind, values)
    return installed.open_carrier(kind, settings, secrets, found)


def refused(carrier: Carrier, sms: Sms) -> ProviderRefused:
    """The refusal that sending ends in."""
    with pytest.raises(ProviderRefused) as failed:
        carrier.send(sms)
    return failed.value


def failed(call: Callable[[], object]) -> ProviderFailure:
    """The failure, of whatever kind, that a call ends in."""
    with pytest.raises(ProviderFailure) as failure:
        call()
    return failure.value


def sent(server: HTTPServer, at: int = -1):
    """A request that the local server got, the newest unless told otherwise."""
    return server.log[at][0]


def form_of(request) -> dict[str, str]:
    """The fields of a form that was sent, each of which stands there once."""
    pairs = parse_qsl(request.get_data(as_text=True), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def posted_form(url: str, form: dict[str, str], **headers: str) -> Arrived:
    """A form that arrives at a receipts address."""
    return Arrived(
        "POST", url, {k.replace("_", "-"): v for k, v in headers.items()}, form=tuple(form.items())
    )


def got(url: str) -> Arrived:
    """A GET that arrives at a receipts address."""
    return Arrived("GET", url, query=tuple(parse_qsl(urlsplit(url).query, keep_blank_values=True)))


@dataclass(frozen=True)
class Canaries:
    """What must stand in no error and no log line."""

    secrets: tuple[str, ...]

    def found_in(self, text: str) -> list[str]:
        """Those that a text gives away."""
        hidden = (CODE, TO, TO[1:], re.escape("Your code"), *self.secrets)
        return [each for each in hidden if each and each in text]
