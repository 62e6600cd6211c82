"""Is this a reason to put on record? What support types before it does something to a user (TEN-08)."""

import re
import unicodedata
from typing import Final

from portal.core import phone_number
from portal.core.closed_list import ClosedList

SHORTEST: Final = 3
LONGEST: Final = 300
# Fewer digits are an order, a ticket or a year; from here on they may be a number that must not be kept.
_FEWEST_OF_A_NUMBER: Final = phone_number.FEWEST_DIGITS
_DATE: Final = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-3]?[0-9]([./])[01]?[0-9]\1(?:19|20)[0-9]{2})(?![0-9])"
)
# They would turn the words around wherever the reason is read.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class ReasonFault(ClosedList):
    """Why a typed reason is refused, and how to put it right."""

    TOO_SHORT = "too_short", f"Write why, in at least {SHORTEST} characters."
    TOO_LONG = "too_long", f"Shorten the reason to {LONGEST} characters."
    CONTROL = "control", "Write the reason in one line, without control characters."
    NUMBER = "number", "Write the reason without phone numbers or codes."


class TypedReasonError(ValueError):
    """A text that is no reason to keep. `fault` says why; the message is the sentence of that fault."""

    def __init__(self, fault: ReasonFault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault


def read(text: str) -> str:
    """A typed reason as it is kept, without the space around it. Raises TypedReasonError."""
    reason = text.strip()
    if len(reason) > LONGEST:
        raise TypedReasonError(ReasonFault.TOO_LONG)
    if any(_is_control(char) for char in reason):
        raise TypedReasonError(ReasonFault.CONTROL)
    if len(reason) < SHORTEST:
        raise TypedReasonError(ReasonFault.TOO_SHORT)
    if _most_digits_in_a_run(_DATE.sub("x", reason)) >= _FEWEST_OF_A_NUMBER:
        raise TypedReasonError(ReasonFault.NUMBER)
    return reason


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} or char in _TURNING


def _most_digits_in_a_run(text: str) -> int:
    """How long the longest number is, in digits of any script and written with any separators."""
    most = run = 0
    for char in text:
        # What nobody sees between two digits does not part them.
        if unicodedata.category(char) == "Cf":
            continue
        try:
            run += phone_number.folded_character(char).isdigit()
        except phone_number.PhoneNumberError:
            run = run if char in "/_,·" else 0
        most = max(most, run)
    return most
