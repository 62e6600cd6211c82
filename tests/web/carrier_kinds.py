"""Which carriers do the pages offer in a test? Two kinds with every sort of field, out of touch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from portal.core.provider_kinds import ProviderKind
from portal.core.receipt_states import ReceiptState
from portal.delivery.providers import installed
from portal.delivery.providers.base import (
    Accepted,
    Arrived,
    Field,
    ProviderFailure,
    Receipt,
    Sms,
    Surroundings,
    WrongField,
    WrongSignature,
)

FIELDS = (
    Field(
        name="url",
        label="Address",
        help="Where the SMS go.",
        pattern=r"https?://\S{1,150}",
        fix="Write an address such as https://sms.example/send.",
    ),
    Field(
        name="sender",
        label="Sender",
        help="What phones show.",
        is_required=False,
        pattern=r"[A-Za-z0-9+ ]{1,15}",
        fix="Up to 15 letters and digits.",
    ),
    Field(name="charset", label="Alphabet", choices=("auto", "gsm", "ucs2"), default="auto"),
    Field(
        name="template",
        label="Body",
        is_long=True,
        is_required=False,
        pattern=r"(?s).{0,2000}",
        fix="Up to 2,000 characters.",
    ),
    Field(name="asked_at", label="Where to check", is_required=False, is_for_check=True),
    Field(name="password", label="Password", help="Of your account.", is_secret=True),
    Field(
        name="signing_key",
        label="Signing key",
        is_secret=True,
        is_required=False,
        is_long=True,
        pattern=r"(?s).{1,4000}",
        fix="Up to 4,000 characters.",
    ),
)
SECRET, KEY = "correct-horse-9931", "-----BEGIN KEY-----\nMIIB0000\n-----END KEY-----"
TYPED = {
    "label": "Tea carrier",
    "carrier_url": "https://sms.example/send",
    "carrier_sender": "Shop",
    "carrier_charset": "gsm",
    "secret_password": SECRET,
}


@dataclass
class StandIn:
    """A carrier that connects to nothing. What it does is said beforehand; what it was told is kept."""

    fails: ProviderFailure | Exception | None = None
    is_asked: bool = True
    receipts: tuple[Receipt, ...] = ()
    opened: list[tuple[dict[str, str], dict[str, str], Surroundings]] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    name: str = "http"

    def open(
        self, settings: Mapping[str, str], secrets: Mapping[str, str], around: Surroundings
    ) -> "StandIn":
        """The same carrier each time. It refuses an address of this machine, as real ones do."""
        if re.match(r"https?://(127\.|localhost|169\.254\.)", settings["url"]):
            raise WrongField("url", "Write a public address: this one is private.")
        self.opened.append((dict(settings), dict(secrets), around))
        return self

    def send(self, sms: Sms) -> Accepted:
        """Takes every SMS."""
        return Accepted(sms.reference)

    def check(self) -> bool:
        """Right, unless it was said otherwise, or that nobody could be asked."""
        if self.fails is not None:
            raise self.fails
        return self.is_asked

    def read_receipts(self, arrived: Arrived) -> list[Receipt]:
        """A body of `wrong` has a wrong signature; every other brings the receipts that were put here."""
        self.arrived.append(arrived)
        if arrived.body == b"wrong":
            raise WrongSignature
        if self.fails is not None:
            raise self.fails
        return list(self.receipts)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def carrier(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The kinds http and kannel, both of which are this stand-in."""
    stand_in = StandIn()
    for kind in (ProviderKind.HTTP, ProviderKind.KANNEL):
        monkeypatch.setitem(installed.CARRIERS, kind, (FIELDS, stand_in.open))  # type: ignore[arg-type]
    return stand_in


DELIVERED = Receipt("ref-1", ReceiptState.DELIVERED)
