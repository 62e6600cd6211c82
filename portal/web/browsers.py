"""Which browser asks, and by what did its person prove who they are? In words, for the record."""

from flask import g, request

from portal.core import device_names

PASSWORD = "password"  # noqa: S105 - a word for the record


def of_request() -> str:
    """The browser of this request in words of ours: Firefox on Windows."""
    return device_names.words(request.headers.get("User-Agent", ""))


def note_proof(*proofs: str) -> None:
    """Notes by what somebody signs in with this request; a password, unless it was said otherwise."""
    g.proof = " and ".join(proofs)


def proof() -> str:
    """What was noted."""
    return str(g.get("proof", PASSWORD))
