"""Which settings does a form say more about than their kind does? When they are needed, and what they do."""

from collections.abc import Mapping
from typing import Final

from portal.core.provider_kinds import ProviderKind

_SENDER: Final = (
    "Needed while {from} stands in the body, as it does to begin with, or in the address or a header: "
    + "a number, a short code, or a name of up to 11 letters and digits."
)
_SIGNS: Final = (
    "With a signing key: t=Unix seconds,v1=HMAC-SHA-256 in hex over that time, a dot and the raw body."
)
_IS_SIGNED: Final = (
    "With a receipt key: HMAC-SHA-256 in hex over the raw body, or t=…,v1=… over time, dot and body."
)

_HINTS: Final[Mapping[tuple[ProviderKind, str], str]] = {
    (ProviderKind.HTTP, "sender"): _SENDER,
    (ProviderKind.HTTP, "signature_header"): _SIGNS,
    (ProviderKind.HTTP, "receipt_header"): _IS_SIGNED,
}


def of(kind: ProviderKind, name: str) -> str | None:
    """The whole hint of a field; None where what its kind says is enough."""
    return _HINTS.get((kind, name))
