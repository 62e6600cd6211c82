"""Which words of two texts are marked as changed."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.word_diff import Comparison, Span, compare


def marked(spans: list[Span]) -> str:
    """The spans as one text, with what changed in brackets."""
    return "".join(f"[{span.text}]" if span.changed else span.text for span in spans)


def sides(old: str, new: str) -> tuple[str, str]:
    compared = compare(old, new)
    return marked(compared.old), marked(compared.new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Your code is {code}.", "Your key is {code}.", ("Your [code] is {code}.", "Your [key] is {code}.")),
        ("a b c", "a x y c", ("a [b] c", "a [x y] c")),
        ("one two three", "1 2 three", ("[one two] three", "[1 2] three")),
        ("It’s it", "It's it", ("[It’s] it", "[It's] it")),
        ("Grüße", "Grüsse", ("[Grüße]", "[Grüsse]")),
        ("", "a", ("", "[a]")),
        ("same", "same", ("same", "same")),
    ],
)
def test_it_marks_whole_words(old: str, new: str, expected: tuple[str, str]) -> None:
    assert sides(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("コードは{code}です", "番号は{code}です", ("[コード]は{code}です", "[番号]は{code}です")),
        ("验证码{code}", "认证码{code}", ("[验]证码{code}", "[认]证码{code}")),
        ("รหัส{code}", "รหัน{code}", ("รหั[ส]{code}", "รหั[น]{code}")),
        ("कोड {code}", "कोडा {code}", ("[कोड] {code}", "[कोडा] {code}")),
    ],
)
def test_a_character_is_a_word_where_the_script_has_no_blanks(
    old: str, new: str, expected: tuple[str, str]
) -> None:
    assert sides(old, new) == expected


def test_a_placeholder_is_one_word_and_never_split() -> None:
    assert sides("{code}", "{coda}") == ("[{code}]", "[{coda}]")
    assert sides("は{app_name}の", "は{app_names}の") == ("は[{app_name}]の", "は[{app_names}]の")


def test_an_emoji_is_never_split() -> None:
    assert sides("👩\u200d💻!", "👩\u200d🚒!") == ("[👩\u200d💻]!", "[👩\u200d🚒]!")
    assert sides("👍🏽!", "👍!") == ("[👍🏽]!", "[👍]!")


def test_line_breaks_and_blanks_are_marked_as_words_are() -> None:
    assert sides("a\nb", "a\n\nb") == ("a\nb", "a\n[\n]b")
    assert sides("a b", "a  b") == ("a[ ]b", "a[  ]b")


def test_two_texts_without_a_word_in_common_are_marked_throughout() -> None:
    assert compare("ab", "cd") == Comparison([Span("ab", True)], [Span("cd", True)])


PIECES = [
    "{code}",
    "{app_name}",
    "{",
    "}",
    "a",
    "don’t",
    "'",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "確",
    "ー",
    "รหั",
    "ि",
    "👩\u200d💻",
]
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.text(max_size=40))


@settings(max_examples=300)
@given(TEXTS, TEXTS)
def test_the_spans_joined_are_the_texts_byte_for_byte(old: str, new: str) -> None:
    compared = compare(old, new)
    assert "".join(span.text for span in compared.old) == old
    assert "".join(span.text for span in compared.new) == new
    for side in (compared.old, compared.new):
        assert all(span.text for span in side)
        assert all(one.changed != other.changed for one, other in pairwise(side))


@settings(max_examples=200)
@given(TEXTS, TEXTS)
def test_what_stays_is_the_same_on_both_sides(old: str, new: str) -> None:
    compared = compare(old, new)
    kept = ["".join(s.text for s in side if not s.changed) for side in (compared.old, compared.new)]
    assert "".join(kept[0].split()) == "".join(kept[1].split())


@settings(max_examples=100)
@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert not any(
        span.changed for side in (compare(text, text).old, compare(text, text).new) for span in side
    )


@settings(max_examples=150)
@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abc"), max_size=9))
def test_as_many_words_stay_as_there_can_be(old: list[str], new: list[str]) -> None:
    signs = compare(
        "".join("!?."["abc".index(word)] for word in old), "".join("!?."["abc".index(w)] for w in new)
    )
    assert sum(len(span.text) for span in signs.old if not span.changed) == _longest(old, new)


def _longest(old: list[str], new: list[str]) -> int:
    """The textbook table: how long the longest common run with gaps is."""
    row = [0] * (len(new) + 1)
    for word in old:
        above = row[:]
        for at, other in enumerate(new):
            row[at + 1] = above[at] + 1 if word == other else max(above[at + 1], row[at])
    return row[-1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("!a" * 459, "a!" * 459),
        ("あ" * 918, "い" * 918),
        ("あい" * 459, "いああ" * 306),
        ("".join(chr(0x4E00 + at) for at in range(918)), "".join(chr(0x4E00 + at * 2) for at in range(918))),
        ("{" * 918, "}{" * 459),
        ("{a}" * 306, "{b}{a}" * 153),
    ],
)
def test_the_longest_texts_cost_less_than_20_milliseconds(old: str, new: str) -> None:
    assert min(_seconds(old, new) for _ in range(5)) < 0.02


def _seconds(old: str, new: str) -> float:
    began = time.process_time()
    compare(old, new)
    return time.process_time() - began
