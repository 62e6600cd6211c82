"""What did a person mean who typed this into the search box?"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from portal.core import number_places, phone_number, search_keys

LONGEST = 254
# Fewer digits fit so many numbers that nobody would be found by them.
FEWEST_DIGITS = 3
# More digits are not repeated: a page, an address or a log would hold most of a number (PII-01).
MOST_REPEATED = 6
_MOST_DIGITS = 20
_USER_ID = re.compile(r"[0-9a-f]{12}(-[0-9a-f]{4}){3}-[0-9a-f]{8}")
# Fewer characters of a user ID are as likely meant as a name.
FEWEST_OF_ID = 8
_ANY_ID = "000000000000-0000-0000-0000-00000000"
_NAMES = "login name, e-mail address or display name"
_PHONE = re.compile(rf"\+?[0-9]{{1,{_MOST_DIGITS}}}")
_LINK = re.compile(r"(?:tel|sms|callto):(?://)?", re.IGNORECASE)
_MARKS = {"Cf", "Zs"}
# How pages and people write the digits that are hidden: of such a term, the end counts.
_HIDDEN = re.compile(r"^.*[•*…]", re.DOTALL)


class Meaning(StrEnum):
    """What a term names."""

    EVERYBODY = "everybody"
    USER_ID = "user_id"
    NUMBER = "number"
    FEW_DIGITS = "few_digits"
    EMAIL = "email"
    NAME = "name"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Term:
    """A meaning with its value, and the sentence that tells the person how the term was understood.

    A number's `value` is its digits, after a plus where only its beginning is meant; `wholes` are the numbers
    (E.164) that these digits are in full, in one country or another, and `sentence_in_part` is for when
    nobody has one of them. `beginning` is how numbers of the first country begin that are written with these
    digits and a zero at home (`090` in Japan: `+8190`). `id_beginning` is set where a user ID may begin so.
    """

    meaning: Meaning
    value: str
    sentence: str
    wholes: tuple[str, ...] = ()
    sentence_in_part: str = ""
    beginning: str = ""
    id_beginning: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is looked for among phone numbers, which is counted and recorded (TEN-08)."""
        return self.meaning is Meaning.NUMBER

    @property
    def is_most_of_a_number(self) -> bool:
        """Whether these are more digits than a page or an address repeats (PII-01)."""
        return self.is_number and len(self.digits) > MOST_REPEATED

    @property
    def as_id(self) -> "Term":
        """The same digits as the beginning of a user ID, for when no number has them."""
        return Term(Meaning.USER_ID, self.id_beginning, "user ID beginning with these digits")

    @property
    def digits(self) -> str:
        """The digits to find next to each other."""
        return self.value.lstrip("+")

    def is_in(self, e164: str) -> bool:
        """Whether a number is, begins with or holds what was typed."""
        if e164 in self.wholes or (self.beginning and e164.startswith(self.beginning)):
            return True
        return e164.startswith(self.value) if self.value.startswith("+") else self.value in e164


def understand(text: str, countries: Sequence[str] = ()) -> Term:
    """Reads a search term: a user ID, a number or any part of one in any style, an address or a name.

    `countries` (two letters each) are those that a national number may belong to, the likeliest first.
    """
    term = unicodedata.normalize("NFC", text).strip()[:LONGEST]
    if not term:
        return Term(Meaning.EVERYBODY, "", "")
    if "\0" in term or any(unicodedata.category(character) == "Cs" for character in term):
        return Term(Meaning.NOTHING, "", "text that no user can have")
    if _USER_ID.fullmatch(term.lower()):
        return Term(Meaning.USER_ID, term.lower(), "user ID")
    digits, id_beginning = _digits(term), _id_beginning(term)
    if digits is not None:
        return replace(_number(digits, countries), id_beginning=id_beginning)
    if "@" in term:
        return Term(Meaning.EMAIL, term.lower(), f"e-mail address beginning with “{term}”")
    what = "login name, e-mail address, display name or user ID" if id_beginning else _NAMES
    return Term(Meaning.NAME, term, f"{what} beginning with “{term}”", id_beginning=id_beginning)


def _id_beginning(term: str) -> str:
    """The term as user IDs are written, where one may begin so; else nothing."""
    begun = term.lower()
    return begun if len(begun) >= FEWEST_OF_ID and _USER_ID.fullmatch(begun + _ANY_ID[len(begun) :]) else ""


def _digits(term: str) -> str | None:
    """The term as digits, maybe after a plus; None when it holds anything else."""
    # Copied numbers bring a link's prefix, slashes, invisible marks and the zero of calls at home along.
    plain = _HIDDEN.sub("", _LINK.sub("", term)).replace("(0)", "").replace("/", " ")
    kept = [char for char in plain if unicodedata.category(char) not in _MARKS]
    try:
        folded = "".join(map(phone_number.folded_character, kept))
    except phone_number.PhoneNumberError:
        return None
    return folded if _PHONE.fullmatch(folded) else None


def _number(digits: str, countries: Sequence[str]) -> Term:
    if len(digits.lstrip("+")) < FEWEST_DIGITS:
        return Term(Meaning.FEW_DIGITS, digits, f"digits: type at least {FEWEST_DIGITS} of a phone number")
    wholes = _wholes(digits, countries)
    value = digits if digits.startswith("+") else _without_prefix(digits)
    if wholes:
        masked = " or ".join(phone_number.mask(each) for each in wholes)
        return Term(Meaning.NUMBER, value, f"the phone number {masked}", wholes, _sentence(value))
    return Term(Meaning.NUMBER, value, _sentence(value), beginning=_beginning(value, countries))


def _beginning(value: str, countries: Sequence[str]) -> str:
    code = number_places.calling_code(countries[0]) if countries else None
    return f"+{code}{value.lstrip('0')}" if code and value.startswith("0") and value.strip("0") else ""


def _wholes(digits: str, countries: Sequence[str]) -> tuple[str, ...]:
    """The numbers that digits can be in full, in the order of the countries, each once."""
    written: list[tuple[str, str | None]] = [(digits, None)]
    if not digits.startswith("+"):
        written = [(digits, country) for country in countries]
        written.append((f"+{digits.removeprefix('00')}", None))
    return tuple(dict.fromkeys(found for each in written if (found := _parsed(*each)) is not None))


def _parsed(digits: str, country: str | None) -> str | None:
    try:
        return phone_number.parse(digits, country).e164
    except phone_number.PhoneNumberError:
        return None


def _without_prefix(digits: str) -> str:
    """National and international numbers are written with zeros in front that the stored form lacks."""
    stripped = digits.lstrip("0")
    return stripped if len(digits) > 4 and len(stripped) >= FEWEST_DIGITS else digits


def _sentence(value: str) -> str:
    where = "beginning with" if value.startswith("+") else "with"
    inside = "" if value.startswith("+") else " in it"
    digits = value.lstrip("+")
    if len(digits) <= MOST_REPEATED:
        return f"phone number {where} {value}{inside}"
    return f"phone number {where} the {len(digits)} digits that end in {digits[-4:]}{inside}"


def key_of(term: Term) -> str:
    """A name as the keys of display names are written."""
    return search_keys.folded(term.value)
