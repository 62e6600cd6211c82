"""What may be put on record as the reason of a deed? Words, and no number to call somebody at."""

import pytest

from portal.core import typed_reason
from portal.core.typed_reason import ReasonFault, TypedReasonError


@pytest.mark.parametrize(
    "text",
    [
        "He asked.",
        "本人から電話",
        "Ticket 48213, order 991204",
        "Called on 2026-08-01 10:42 and on 2026-08-02",
        "Call of 31.12.2026, again 1/8/2026",
        "Code 482913 never came",
        "x" * 300,
        "\u200eعبد الرحمن طلب ذلك",
    ],
)
def test_it_keeps_words_dates_and_short_digits(text):
    assert typed_reason.read(text) == text


def test_it_takes_the_space_around_away():
    assert typed_reason.read(" \u3000 He asked. \t") == "He asked."


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ReasonFault.TOO_SHORT),
        ("  no  ", ReasonFault.TOO_SHORT),
        ("x" * 301, ReasonFault.TOO_LONG),
        ("two\nlines", ReasonFault.CONTROL),
        ("nul\0here", ReasonFault.CONTROL),
        ("half \ud800 a pair", ReasonFault.CONTROL),
        ("turned \u202e around", ReasonFault.CONTROL),
        ("a\u2028b c", ReasonFault.CONTROL),
    ],
)
def test_it_refuses_what_is_no_line_of_words(text, fault):
    with pytest.raises(TypedReasonError) as refused:
        typed_reason.read(text)
    assert refused.value.fault is fault
    assert str(refused.value) == fault.sentence


@pytest.mark.parametrize(
    "number",
    [
        "+819012345678",
        "090-1234-5678",
        "090 1234 5678",
        "(090) 1234.5678",
        "０９０１２３４５６７８",
        "٠٩٠١٢٣٤٥٦٧٨",
        "090\u200b123\u200b45678",
        "090/123/45678",
        "1234567",
        "090ー1234ー5678",
        "2026-08-019012345678",
    ],
)
def test_pii_01_it_refuses_a_number_however_it_is_written(number):
    with pytest.raises(TypedReasonError) as refused:
        typed_reason.read(f"Called at {number} today")
    assert refused.value.fault is ReasonFault.NUMBER
