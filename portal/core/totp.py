"""Which six digits does an authenticator app show now? RFC 6238, with the choices that every app knows."""

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import quote, urlencode

STEP_MS: Final = 30_000
DIGITS: Final = 6
_KEY_BYTES: Final = 20
# A phone's clock may be off by so many steps.
_DRIFT: Final = 1


def new_key() -> bytes:
    """A random key of 160 bits, as RFC 4226 asks for."""
    return secrets.token_bytes(_KEY_BYTES)


def code_at(key: bytes, step: int) -> str:
    """The code of one step; steps count thirty seconds of Unix time."""
    digest = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(key: bytes, typed: str, now: int, last_step: int) -> int | None:
    """The step whose code was typed, near `now` (Unix ms) and after `last_step`; None for a wrong code.

    Every step is compared, in constant time, so that the answer's time tells nothing.
    """
    here, found = now // STEP_MS, None
    for step in range(here - _DRIFT, here + _DRIFT + 1):
        is_it = hmac.compare_digest(code_at(key, step).encode(), typed.encode("utf-8", "replace"))
        if is_it and step > last_step:
            found = step
    return found


def written(key: bytes) -> str:
    """A key as people type it into an app: base32 in groups of four."""
    text = base64.b32encode(key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def address(key: bytes, email: str) -> str:
    """What the QR code says: the key, and what the app shall call it."""
    label = quote(f"Ringback:{email}", safe="")
    told = urlencode({"secret": base64.b32encode(key).decode(), "issuer": "Ringback"})
    return f"otpauth://totp/{label}?{told}"
