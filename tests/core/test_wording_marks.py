"""Where a wording is marked, and what mending it comes to."""

from itertools import count, islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core import placeholders, wording_marks
from portal.core.wording_marks import Stretch

PIECES = st.sampled_from(
    [
        *(
            "{code}",
            "{{code}}",
            "{Code",
            "code}",
            "{app_name}",
            "{app name}",
            "{minutos}",
            "%(code)s",
            "｛code｝",
        ),
        *("$" + "{code}", "{{", "}}", "{", "}", "\u202e", "\u200e", "\u200b", "\x07", "\n", "\r\n", " ", "a"),
        *("字", "م", "@shop.example #1", "shop.example", "https://", "😀", "\ud800"),
    ]
)
BODIES = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=40)


def marked(body: str) -> list[Stretch]:
    text = body.replace("\r\n", "\n")
    return list(wording_marks.stretches(text, placeholders.problems(text)))


def test_what_is_wrong_is_a_stretch_of_its_own_with_its_problem() -> None:
    assert marked("Hi {kode}, {code}}") == [
        Stretch("Hi "),
        Stretch("{kode}", 0),
        Stretch(", "),
        Stretch("{code}}", 1),
    ]


def test_what_is_only_missing_marks_nothing() -> None:
    assert marked("Hello") == [Stretch("Hello")]
    assert marked("") == []


@settings(max_examples=400)
@given(BODIES)
def test_the_stretches_joined_are_the_body(body: str) -> None:
    text = body.replace("\r\n", "\n")
    found = placeholders.problems(text)
    pieces = marked(body)
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces)
    places = [piece.problem for piece in pieces if piece.problem is not None]
    assert all(before < after for before, after in pairwise(places))
    assert all(place < len(found) for place in places)


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ("{{code}}", "{code}"),
        ("Your %(code)s", "Your {code}"),
        ("Your code", "Your code {code}"),
        ("{code} {code}", "{code} "),
        ("{code}\u202e", "{code}"),
        ("{code}}x", "{code}x"),
    ],
)
def test_mending_puts_in_what_was_meant(body: str, mended: str) -> None:
    assert wording_marks.mended(body, 0) == mended
    assert placeholders.problems(mended) == []


@pytest.mark.parametrize("place", [-1, 1, 10**9])
def test_a_place_without_a_problem_mends_nothing(place: int) -> None:
    assert wording_marks.mended("{{code}}\r\n", place) == "{{code}}\n"


def test_what_only_the_writer_can_tell_stays_as_it_is() -> None:
    assert wording_marks.mended("{kode} {code}", 0) == "{kode} {code}"


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_mending_again_and_again_ends_with_nothing_left_to_mend(body: str) -> None:
    text = body
    # Each mending takes a mistake away, or adds the one code that is missing.
    for _ in islice(count(), 2 * len(body) + 3):
        mendable = [at for at, each in enumerate(placeholders.problems(text)) if each.swap is not None]
        if not mendable:
            break
        after = wording_marks.mended(text, mendable[0])
        assert after != text
        text = after
    assert [each for each in placeholders.problems(text) if each.swap is not None] == []
