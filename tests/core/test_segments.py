"""Where a text is cut, and what it costs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import gsm7
from portal.core.segments import ALONE, CUT, segment

TEXTS = st.one_of(
    st.text(st.sampled_from("ab €{}[]~\\|\nñ"), max_size=500),
    st.text(st.sampled_from("ab €{}あ😀\u200d\ud83d"), max_size=300),
    st.text(st.characters(), max_size=300),
)


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "count", "limit", "room"),
    [
        ("", "GSM-7", 0, 1, 160, 160),
        ("a", "GSM-7", 1, 1, 160, 159),
        ("a" * 160, "GSM-7", 160, 1, 160, 0),
        ("a" * 161, "GSM-7", 161, 2, 153, 145),
        ("a" * 306, "GSM-7", 306, 2, 153, 0),
        ("a" * 307, "GSM-7", 307, 3, 153, 152),
        ("a" * 918, "GSM-7", 918, 6, 153, 0),
        ("€" * 80, "GSM-7", 160, 1, 160, 0),
        ("€" * 81, "GSM-7", 162, 2, 153, 143),
        ("あ" * 70, "UCS-2", 70, 1, 70, 0),
        ("あ" * 71, "UCS-2", 71, 2, 67, 63),
        ("あ" * 134, "UCS-2", 134, 2, 67, 0),
        ("😀" * 35, "UCS-2", 70, 1, 70, 0),
        ("😀" * 36, "UCS-2", 72, 2, 67, 61),
        ("あ" + "€" * 69, "UCS-2", 70, 1, 70, 0),
        ("`", "UCS-2", 1, 1, 70, 69),
        ("\ud83d", "UCS-2", 1, 1, 70, 69),
    ],
)
def test_it_counts_as_a_network_does(
    text: str, encoding: str, characters: int, count: int, limit: int, room: int
) -> None:
    cut = segment(text)
    assert (cut.encoding, cut.characters, cut.count, cut.limit, cut.room) == (
        encoding,
        characters,
        count,
        limit,
        room,
    )


def test_an_escape_pair_is_never_split() -> None:
    assert segment("a" * 152 + "€" + "b" * 20).parts == ("a" * 152, "€" + "b" * 20)


def test_a_surrogate_pair_is_never_split() -> None:
    assert segment("あ" * 66 + "😀" + "い" * 10).parts == ("あ" * 66, "😀" + "い" * 10)


def test_padding_for_an_escape_pair_may_cost_a_segment_more() -> None:
    assert segment("a" * 152 + "€" + "a" * 152).count == 3


def test_tpl_02_one_emoji_turns_160_into_70() -> None:
    assert segment("a" * 159).count == 1
    assert segment("a" * 158 + "😀").count == 3


def test_it_names_what_forces_the_dear_encoding_once_and_in_order() -> None:
    assert segment("“ça” va “là” 😀").forcing == ("“", "ç", "”", "😀")


def test_nothing_forces_a_plain_text() -> None:
    assert segment("Código: no; code {} €".replace("ó", "o")).forcing == ()


@settings(max_examples=150)
@given(TEXTS)
def test_the_parts_joined_are_the_text(text: str) -> None:
    assert "".join(segment(text).parts) == text


@settings(max_examples=150)
@given(TEXTS)
def test_every_part_fits_and_room_is_what_the_last_one_leaves(text: str) -> None:
    cut = segment(text)
    lengths = [_length(part, cut.encoding) for part in cut.parts]
    assert all(length <= cut.limit for length in lengths)
    assert cut.room == cut.limit - lengths[-1]
    assert cut.characters == sum(lengths)


@settings(max_examples=100)
@given(TEXTS)
def test_a_text_is_cut_only_when_it_does_not_fit_alone(text: str) -> None:
    cut = segment(text)
    alone = cut.characters <= ALONE[cut.encoding]
    assert (cut.count == 1) == alone
    assert cut.limit == (ALONE if alone else CUT)[cut.encoding]


def test_it_says_where_each_segment_begins_in_characters_as_people_count_them() -> None:
    assert segment("").starts == (0,)
    assert segment("a" * 160).starts == (0,)
    assert segment("a" * 152 + "€" + "b" * 200).starts == (0, 152, 304)
    assert segment("😀" * 80).starts == (0, 33, 66)


@settings(max_examples=100)
@given(TEXTS)
def test_a_segment_is_what_stands_from_its_start_to_the_next(text: str) -> None:
    cut = segment(text)
    ends = [*cut.starts[1:], len(text)]
    assert tuple(text[start:end] for start, end in zip(cut.starts, ends, strict=True)) == cut.parts


def _length(part: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return sum(gsm7.septets(char) or 0 for char in part)
    return sum(len(char.encode("utf-16-be", "surrogatepass")) // 2 for char in part)
