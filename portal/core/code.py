"""What is the code of a verification? Derived when needed, kept nowhere (OTP-01, OTP-09)."""

import hashlib
import hmac
import unicodedata
from typing import Final

# A code of more digits than this could not be told from the 64 bits that it is drawn from.
LONGEST = 10
_DRAW_BYTES = 8
_DRAWS = 1 << (8 * _DRAW_BYTES)


# What previews and tests show instead of a code.
FAKE: Final = "4829137506"
# The length of codes that no app's settings rule.
USUAL: Final = 6


def derive(key: bytes, verification_id: str, issue: int, length: int) -> str:
    """The code of one issue of one verification: `length` ASCII digits, leading zeros kept.

    HMAC-SHA-256 of `key` (a server key, outside the database) over the id and the issue counter.
    The draw is repeated when it falls into the incomplete last stretch, so every code is equally likely.
    """
    codes = 10**length
    fair = _DRAWS - _DRAWS % codes
    draw = 0
    while True:
        message = f"ringback-code:{verification_id}:{issue}:{length}:{draw}".encode()
        number = int.from_bytes(hmac.digest(key, message, hashlib.sha256)[:_DRAW_BYTES], "big")
        if number < fair:
            return str(number % codes).zfill(length)
        draw += 1


def fold(text: str) -> str:
    """What a person typed as ASCII digits: any script's digits folded, spaces and hyphens dropped (OTP-11).

    Characters that are neither stay as they are, so that they can match no code. Superscripts and the
    like are no decimal digits and stay too.
    """
    return "".join(_fold_character(character) for character in text.strip(" \t"))


def has_shape(typed: str, length: int) -> bool:
    """Whether `typed` could be a code of so many digits at all (OTP-11); whatever could not is no guess."""
    folded = fold(typed) if len(typed) <= 4 * LONGEST else ""
    return len(folded) == length and folded.isascii() and folded.isdigit()


def matches(expected: str, typed: str) -> bool:
    """Whether `typed` spells `expected`, compared in constant time. Never raises, whatever was typed."""
    if len(typed) > 4 * LONGEST:
        return False
    return hmac.compare_digest(expected.encode(), fold(typed).encode("utf-8", "surrogatepass"))


def _fold_character(character: str) -> str:
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) in ("Zs", "Pd"):
        return ""
    return character
