"""Under which headings do the fields of a provider's form stand, and which of them are folded away?"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wtforms import Field as FormField

from portal.core.provider_kinds import ProviderKind
from portal.delivery.providers.base import Field


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands over one part of a form; `is_folded` where few need the part."""

    title: str
    note: str = ""
    is_folded: bool = False


SETTINGS: Final = Heading("Settings")
CREDENTIALS: Final = Heading("Credentials", "Secrets are kept sealed, and never shown again.")
READING: Final = Heading(
    "Reading receipts",
    "Change this where your carrier's answers and receipts name an SMS, or its state, in ways of their own.",
    is_folded=True,
)
CHECKING: Final = Heading(
    "Checking the credentials",
    "Without an address for it, a check only looks whether the server is there.",
    is_folded=True,
)
SIGNATURES: Final = Heading(
    "Signatures", "For carriers that check who asks, or that sign their receipts.", is_folded=True
)
_ORDER: Final = (SETTINGS, CREDENTIALS, READING, CHECKING, SIGNATURES)
# The fields that stand elsewhere than under Settings, or, for secrets, Credentials.
_PLACES: Final[Mapping[ProviderKind, Mapping[str, Heading]]] = {
    ProviderKind.HTTP: {
        "user": CREDENTIALS,
        "reference_at": READING,
        "receipt_reference": READING,
        "receipt_status": READING,
        "receipt_words": READING,
        "check_url": CHECKING,
        "signing_key": SIGNATURES,
        "signature_header": SIGNATURES,
        "receipt_key": SIGNATURES,
        "receipt_header": SIGNATURES,
    }
}


@dataclass(frozen=True, slots=True)
class Row:
    """A field, and the box that takes its stored secret away, where there is one."""

    field: FormField
    forget: FormField | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with its rows; `is_open` where it is not folded, or something in it is to be seen."""

    heading: Heading
    rows: list[Row]
    is_open: bool

    @property
    def id(self) -> str:
        """What the part is called in addresses of the page."""
        return f"part-{self.heading.title.split()[0].lower()}"


def under(kind: ProviderKind, fields: Sequence[Field]) -> dict[Heading, list[Field]]:
    """The fields of a kind under their headings, both in the order of the page."""
    places, found = _PLACES.get(kind, {}), {heading: list[Field]() for heading in _ORDER}
    for field in fields:
        found[places.get(field.name, CREDENTIALS if field.is_secret else SETTINGS)].append(field)
    return {heading: named for heading, named in found.items() if named}


def part(
    heading: Heading, rows: Sequence[tuple[Field, Row]], stored: Container[str], *, is_asked_for: bool
) -> Part:
    """A part as the page shows it: open where it holds a refusal, a stored secret, or what somebody wrote.

    `stored` has the names of secrets that are stored; `is_asked_for` where the page sends its reader here.
    """
    own = (
        # Browsers send each line's end as two characters.
        field.name in stored
        or bool(row.field.errors)
        or (row.field.data or "").replace("\r\n", "\n") != field.default
        for field, row in rows
    )
    return Part(heading, [row for _, row in rows], is_open=not heading.is_folded or is_asked_for or any(own))
