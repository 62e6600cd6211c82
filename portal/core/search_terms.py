"""What did a person mean who typed this into the search box?"""

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum

from portal.core import phone_number

_USER_ID = re.compile(r"[0-9a-f]{12}(-[0-9a-f]{4}){3}-[0-9a-f]{8}")
_PHONE = re.compile(r"\+?[0-9]{3,15}")
LONGEST = 254
# Masked numbers show their country and four digits. Whoever could look for more of a number, a digit at a
# time, would read all of it; so more than this must be the whole number (TEN-08).
MOST_OF_A_BEGINNING = 4
MOST_OF_AN_ENDING = 6


class Meaning(StrEnum):
    """What a term names."""

    EVERYBODY = "everybody"
    USER_ID = "user_id"
    PHONE_NUMBER = "phone_number"
    PHONE_NUMBER_ENDING = "phone_number_ending"
    EMAIL = "email"
    NAME = "name"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Term:
    """A meaning with its value, and the sentence that tells the person how the term was understood."""

    meaning: Meaning
    value: str
    sentence: str

    @property
    def is_whole_number(self) -> bool:
        """Whether only a user with exactly this number is meant."""
        digits = len(self.value.lstrip("+"))
        if self.meaning is Meaning.PHONE_NUMBER:
            return digits > MOST_OF_A_BEGINNING
        return self.meaning is Meaning.PHONE_NUMBER_ENDING and digits > MOST_OF_AN_ENDING


def is_number(e164: str | None, digits: str) -> bool:
    """Whether `digits` (no plus, no leading zeros) are all of a number, with its country code or without."""
    return e164 is not None and digits in (e164.lstrip("+"), phone_number.national(e164))


def understand(text: str) -> Term:
    """Reads a search term: a user ID, a number or its end in any style, an e-mail address or a name."""
    term = unicodedata.normalize("NFC", text).strip()[:LONGEST]
    if not term:
        return Term(Meaning.EVERYBODY, "", "")
    if "\0" in term or any(unicodedata.category(character) == "Cs" for character in term):
        return Term(Meaning.NOTHING, "", "text that no user can have")
    if _USER_ID.fullmatch(term.lower()):
        return Term(Meaning.USER_ID, term.lower(), "user ID")
    digits = _digits(term)
    if digits is not None:
        return _number(digits)
    if "@" in term:
        return Term(Meaning.EMAIL, term, f"e-mail address beginning with “{term}”")
    return Term(Meaning.NAME, term, f"login name beginning with, or display name, “{term}”")


def _digits(term: str) -> str | None:
    """The term as digits, maybe after a plus; None when it holds anything else."""
    try:
        kept = "".join(map(phone_number.folded_character, term))
    except phone_number.PhoneNumberError:
        return None
    return kept if _PHONE.fullmatch(kept) else None


def _number(digits: str) -> Term:
    if digits.startswith("+"):
        number = _without_trunk_zero(digits)
        return _told(Term(Meaning.PHONE_NUMBER, number, f"phone number beginning with {number}"))
    # National numbers are written with a leading zero that the stored form does not have.
    ending = digits.lstrip("0") if len(digits) > 4 else digits
    ending = ending or digits
    return _told(Term(Meaning.PHONE_NUMBER_ENDING, ending, f"phone number ending in {ending}"))


def _told(term: Term) -> Term:
    return replace(term, sentence=f"the whole phone number {term.value}") if term.is_whole_number else term


def _without_trunk_zero(digits: str) -> str:
    """A whole number in the stored form (`+81 (0)90 …` holds a zero that it lacks); of less, its start."""
    try:
        return phone_number.parse(digits).e164
    except phone_number.PhoneNumberError:
        return digits if len(digits) > 1 + MOST_OF_AN_ENDING else digits[: 1 + MOST_OF_A_BEGINNING]
