"""What is a closed list? Codes that never change, each with a sentence for people."""

from enum import StrEnum
from typing import Self


class ClosedList(StrEnum):
    """The base of a closed list: a member is its code, and `sentence` says what it means.

    `WAIT = "wait", "Wait a moment."` makes a member whose value is `wait`.
    """

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Self:
        """A member is its code; the sentence goes along."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member
