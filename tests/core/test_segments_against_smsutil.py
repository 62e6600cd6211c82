"""Our cutting agrees, part by part, with smsutil 1.1.3, which knows nothing of us.

Left out is the one text on which they differ, the empty one: smsutil calls it UCS-2 without any part, while
a network carries it as one SMS of no septets. The escape (0x1B), a character to smsutil, stands in no text.
"""

import random
from collections.abc import Iterator

import pytest
import smsutil

from portal.core.segments import segment

TEXTS_OF_A_KIND = 1_500

PLAIN = [*"abcdefghij KLMNOP0123456789.,!?\n@£ñüà"]
EXTENSION = [*"^{}\\[~]|€\f"]
FOREIGN = [*"çóíáêâőşł’“”…–`ÁΑВ\u00a0\u200b"]
WIDE = [*"あ漢中한зжשش\u200fไก"]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🇯🇵", "👍🏽", "❤️", "👩‍💻", "e\u0301", "𠮷", "क्ष"]

# Around every length at which a text becomes one SMS longer, in septets and in UTF-16 units.
EDGES = [
    at + near
    for at in (1, 67, 70, 134, 153, 160, 201, 268, 306, 402, 459, 612, 918)
    for near in (-2, -1, 0, 1, 2)
    if at + near > 0
]

KINDS = {
    "ascii": (PLAIN, PLAIN),
    "extension": (EXTENSION, [*PLAIN, *EXTENSION]),
    "one extension in eight": (EXTENSION, [*PLAIN * 2, *EXTENSION]),
    "accents": (FOREIGN, [*PLAIN * 3, *FOREIGN]),
    "wide": (EMOJI, WIDE),
    "pairs": (["😀"], ["あ", "😀"]),
    "emoji": (WIDE, [*EMOJI, *PLAIN, *EXTENSION]),
    "all": (EMOJI, [*PLAIN, *EXTENSION, *FOREIGN, *WIDE, *EMOJI]),
}


def texts(kind: str) -> Iterator[str]:
    """Texts of all lengths and of the edges: mixed, and of one character with a few others at the cuts."""
    others, letters = KINDS[kind]
    chance = random.Random(kind)  # the same texts in every run
    for number in range(TEXTS_OF_A_KIND):
        length = chance.choice(EDGES) if number % 3 else chance.randrange(1, 500)
        if number % 2:
            pieces = chance.choices(letters, k=length)
        else:
            pieces = [chance.choice(letters)] * length
            for _ in range(3):
                pieces[max(0, min(length, chance.choice(EDGES)) - 1)] = chance.choice(others)
        yield "".join(pieces)[:length]


def ours(text: str) -> tuple[str, list[str], int]:
    cut = segment(text)
    return cut.encoding, list(cut.parts), cut.characters


def theirs(text: str) -> tuple[str, list[str], int]:
    cut = smsutil.split(text)
    parts = [part.content for part in cut.parts]
    if cut.encoding == "gsm0338":
        return "GSM-7", parts, cut.total_bytes
    return "UCS-2", parts, cut.total_bytes // 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_independent_library_cuts_every_text_in_the_same_places(kind: str) -> None:
    assert [text for text in texts(kind) if ours(text) != theirs(text)] == []


def test_there_are_ten_thousand_different_texts_of_both_encodings_at_the_edges() -> None:
    whole = {text: segment(text) for kind in KINDS for text in texts(kind)}
    assert len(whole) >= 10_000
    assert {cut.encoding for cut in whole.values()} == {"GSM-7", "UCS-2"}
    assert {69, 70, 71, 134, 135, 159, 160, 161, 306, 307} <= {cut.characters for cut in whole.values()}
    assert any(len(part) < cut.limit - 1 for cut in whole.values() for part in cut.parts[:-1])


@pytest.mark.parametrize("filler", ["a", "あ", "€", "😀"])
def test_they_agree_at_every_single_length(filler: str) -> None:
    assert [length for length in range(1, 620) if ours(filler * length) != theirs(filler * length)] == []


@pytest.mark.parametrize("straddler", ["€", "{", "😀", "👩‍👩‍👧‍👦", "🇯🇵", "e\u0301"])
def test_they_agree_wherever_a_character_straddles_the_cut(straddler: str) -> None:
    filler = "a" if straddler in "€{" else "あ"
    around = [
        filler * before + straddler + filler * after
        for before in range(60, 165)
        for after in range(0, 160, 3)
    ]
    assert [text for text in around if ours(text) != theirs(text)] == []
