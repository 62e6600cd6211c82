"""Which characters can a text message carry in the GSM 7-bit alphabet, and what does each cost?

Source: 3GPP TS 23.038, section 6.2.1 (default alphabet and its extension table).
"""

import re
from typing import Final

# In the order of the table, sixteen to a row; the second has fifteen, as the escape at 0x1B is no character.
_ROWS: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
)
BASIC: Final = frozenset("".join(_ROWS))

EXTENSION: Final = frozenset("\f^{}\\[~]|€")

# What a writer may swap without a reader noticing. Accents are never here: dropping one changes the word.
EQUALS: Final[dict[str, str]] = {
    **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‹", "<"),
    **dict.fromkeys("›", ">"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
    **dict.fromkeys("\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    **dict.fromkeys("\u2028\u2029", "\n"),
    **dict.fromkeys("•·", "-"),
    "…": "...",
    "⁄": "/",
    "×": "x",
}


def septets(char: str) -> int | None:
    """How many septets one character takes: 1, 2 (escape and character), or None when GSM-7 lacks it."""
    if char in BASIC:
        return 1
    return 2 if char in EXTENSION else None


_TABLE: Final = str.maketrans(EQUALS)
_BRACED: Final = re.compile(r"(\{[^{}]*\})")


def plain(text: str) -> str:
    """A text with every character that has a GSM-7 equal replaced, wherever it stands."""
    return text.translate(_TABLE)


def swap(text: str) -> str:
    """A text with every character that has a GSM-7 equal replaced; whatever stands in braces stays."""
    return _swap(text, EQUALS)


def swap_one(text: str, char: str) -> str:
    """A text with one character replaced by its GSM-7 equal wherever it stands, except in braces.

    The text comes back as it is when the character has no equal.
    """
    return _swap(text, {char: EQUALS[char]}) if char in EQUALS else text


def _swap(text: str, equals: dict[str, str]) -> str:
    table = str.maketrans(equals)
    # What is in the group comes back at every second place.
    pieces = enumerate(_BRACED.split(text))
    return "".join(piece if at % 2 else piece.translate(table) for at, piece in pieces)
