"""Into how many SMS is a text cut, where, and which characters make it dear?

Source: 3GPP TS 23.040, section 9.2.3.24.1. The header of a cut message takes seven septets or three units.
"""

from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Literal

from portal.core import gsm7

Encoding = Literal["GSM-7", "UCS-2"]

ALONE: Final[dict[Encoding, int]] = {"GSM-7": 160, "UCS-2": 70}
CUT: Final[dict[Encoding, int]] = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True, slots=True)
class Segments:
    """One text as the network carries it. All lengths are septets (GSM-7) or UTF-16 units (UCS-2)."""

    encoding: Encoding
    characters: int
    parts: tuple[str, ...]
    limit: int
    room: int
    forcing: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many SMS are paid for. Never 0: an empty message costs as much as a short one."""
        return len(self.parts)

    @property
    def starts(self) -> tuple[int, ...]:
        """Where each segment begins, in code points of the text from 0; the first is always 0."""
        return tuple(accumulate((len(part) for part in self.parts[:-1]), initial=0))


def segment(text: str) -> Segments:
    """Cut a text as a phone network does. An empty text is one empty segment with room for 160 septets.

    `limit` is what one segment may hold (160 or 153, 70 or 67), `room` what the last one still takes, and
    `forcing` the distinct characters, in order, that GSM-7 lacks. Never raises: a lone surrogate is one unit.
    """
    forcing = tuple(dict.fromkeys(char for char in text if gsm7.septets(char) is None))
    encoding: Encoding = "UCS-2" if forcing else "GSM-7"
    widths = [_width(char, encoding) for char in text]
    characters = sum(widths)
    limit = ALONE[encoding] if characters <= ALONE[encoding] else CUT[encoding]
    parts, used = _cut(text, widths, limit)
    return Segments(encoding, characters, parts, limit, limit - used, forcing)


def _width(char: str, encoding: Encoding) -> int:
    if encoding == "GSM-7":
        return gsm7.septets(char) or 1
    return 2 if ord(char) > 0xFFFF else 1


def _cut(text: str, widths: list[int], limit: int) -> tuple[tuple[str, ...], int]:
    """The segments, and the length of the last. A character that does not fit goes whole into the next."""
    parts: list[str] = []
    start = used = 0
    for at, width in enumerate(widths):
        if used + width > limit:
            parts.append(text[start:at])
            start, used = at, 0
        used += width
    return (*parts, text[start:]), used
