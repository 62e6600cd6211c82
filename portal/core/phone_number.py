"""Which phone number was written, may it be texted, and how is it shown to those who need not see it?"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import phonenumbers

from portal.core.closed_list import ClosedList

LONGEST_INPUT: Final = 40
FEWEST_DIGITS: Final = 7
MOST_DIGITS: Final = 20


class Kind(StrEnum):
    """What sort of line the numbering plan says a number is."""

    MOBILE = "mobile"
    FIXED_LINE_OR_MOBILE = "fixed_line_or_mobile"
    FIXED_LINE = "fixed_line"
    PREMIUM_RATE = "premium_rate"
    SHARED_COST = "shared_cost"
    TOLL_FREE = "toll_free"
    PERSONAL = "personal"
    PAGER = "pager"
    VOICEMAIL = "voicemail"
    UAN = "uan"
    VOIP = "voip"
    UNKNOWN = "unknown"


class PhoneNumberFault(ClosedList):
    """Why a number is refused, and how to put it right. From `network` on they hold for texting only."""

    EMPTY = "empty", "There is no phone number. Write one such as +81 90 1234 5678."
    TOO_SHORT = "too_short", "The phone number is too short. Check that no digit is missing."
    TOO_LONG = "too_long", "The phone number is too long. Write one number only."
    INVISIBLE = "invisible", "The number holds an invisible character. Type it instead of pasting it."
    URI = "uri", "This is a link. Write only the number, such as +81 90 1234 5678."
    EXTENSION = "extension", "Extensions get no SMS. Leave the extension out."
    LETTERS = "letters", "The phone number holds letters. Write digits instead."
    CHARACTERS = "characters", "Only digits, spaces, dots, hyphens, parentheses and one + are allowed."
    PLUS = "plus", "The + may stand only once, before the first digit."
    NO_COUNTRY = "no_country", "Start with + and the country code (not 00), or give the country."
    UNKNOWN_COUNTRY = "unknown_country", "The country is unknown. Give its two letters, such as JP or GB."
    UNKNOWN_CALLING_CODE = "unknown_calling_code", "No country has this code. Check the digits after the +."
    INVALID = "invalid", "No such phone number can exist. Check the digits and the country code."
    NETWORK = "network", "Satellite and worldwide numbers get no SMS. Give a mobile number."
    FIXED_LINE = "fixed_line", "This is a landline number. Give a mobile number."
    PREMIUM_RATE = "premium_rate", "This is a premium-rate number. Give a mobile number."
    SHARED_COST = "shared_cost", "This is a shared-cost number. Give a mobile number."
    TOLL_FREE = "toll_free", "This is a toll-free number. Give a mobile number."
    PERSONAL = "personal", "This is a personal number that forwards elsewhere. Give a mobile number."
    PAGER = "pager", "This is a pager number. Give a mobile number."
    VOICEMAIL = "voicemail", "This is a voicemail number. Give a mobile number."
    UAN = "uan", "This is a company's access number. Give a mobile number."
    VOIP = "voip", "This is an internet telephony number. Give a mobile number."
    UNKNOWN = "unknown", "Nothing is known about this kind of number. Give a mobile number."


_KINDS: Final[dict[int, Kind]] = {
    phonenumbers.PhoneNumberType.MOBILE: Kind.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: Kind.FIXED_LINE_OR_MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE: Kind.FIXED_LINE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE: Kind.PREMIUM_RATE,
    phonenumbers.PhoneNumberType.SHARED_COST: Kind.SHARED_COST,
    phonenumbers.PhoneNumberType.TOLL_FREE: Kind.TOLL_FREE,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: Kind.PERSONAL,
    phonenumbers.PhoneNumberType.PAGER: Kind.PAGER,
    phonenumbers.PhoneNumberType.VOICEMAIL: Kind.VOICEMAIL,
    phonenumbers.PhoneNumberType.UAN: Kind.UAN,
    phonenumbers.PhoneNumberType.VOIP: Kind.VOIP,
}

# The library calls some of these mobile; a text to them costs many times an ordinary one (ABU-05).
_NETWORKS: Final = ("+800", "+808", "+870", "+878", "+881", "+882", "+883", "+888", "+979")

# Japanese keyboards put the long vowel mark, the wide hyphen or the minus sign between full-width digits.
_SEPARATORS: Final = frozenset(" .-()\u00a0\u2009\u202f\u3000．（）－‐‑‒–—―−ー")
_EXTENSION: Final = re.compile(r"\d\W*(?:ext|[x;,#~])")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


class PhoneNumberError(ValueError):
    """A text that is no phone number. `reason` says why; the message is the sentence of that reason."""

    def __init__(self, reason: PhoneNumberFault) -> None:
        super().__init__(reason.sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One number: `e164` is the form to compare and store, `region` two letters (`001` for a network)."""

    e164: str
    region: str
    kind: Kind


def parse(text: str, country: str | None = None) -> PhoneNumber:
    """Read an international number, or a national one of `country` (two letters). Raises PhoneNumberError.

    The library alone would drop extensions, map letters and skip NUL, so it never gets to see them (OTP-19).
    """
    written = _folded(text)
    return _read(written, None if written.startswith("+") else _home(country))


def e164_of(text: str, country: str | None = None) -> str | None:
    """The E.164 form of a number that somebody may have already; None for what is no number.

    Numbering plans change. What is written in that very form names its holder though no plan knows it (any
    more).
    """
    try:
        return parse(text, country).e164
    except PhoneNumberError:
        return text if _E164.fullmatch(text) else None


def is_international(text: str) -> bool:
    """Whether a text is a number that begins with its country's code, if it is a number at all."""
    return text.strip(" ").startswith(("+", "＋"))


def _folded(text: str) -> str:
    """The digits of a text in ASCII, after a plus where there is one."""
    _refuse_what_is_no_bare_number(text)
    folded = "".join(map(folded_character, text))
    digits = folded.lstrip("+")
    if not digits:
        raise PhoneNumberError(PhoneNumberFault.EMPTY)
    if "+" in digits or folded.startswith("++"):
        raise PhoneNumberError(PhoneNumberFault.PLUS)
    if len(digits) > MOST_DIGITS:
        raise PhoneNumberError(PhoneNumberFault.TOO_LONG)
    if folded.startswith("+") and len(digits) < FEWEST_DIGITS:
        raise PhoneNumberError(PhoneNumberFault.TOO_SHORT)
    return folded


def _refuse_what_is_no_bare_number(text: str) -> None:
    if len(text) > LONGEST_INPUT:
        raise PhoneNumberError(PhoneNumberFault.TOO_LONG)
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text):
        raise PhoneNumberError(PhoneNumberFault.INVISIBLE)
    lowered = text.strip(" ").lower()
    if lowered.startswith(("tel:", "sms:", "sip:", "callto:")) or "phone-context" in lowered:
        raise PhoneNumberError(PhoneNumberFault.URI)
    if _EXTENSION.search(lowered):
        raise PhoneNumberError(PhoneNumberFault.EXTENSION)


def folded_character(char: str) -> str:
    """A digit of any script in ASCII, `+` for a plus, nothing for a separator. Raises PhoneNumberError."""
    if char in _SEPARATORS:
        return ""
    if char in "+＋":
        return "+"
    digit = unicodedata.decimal(char, None)
    if digit is None:
        raise PhoneNumberError(PhoneNumberFault.LETTERS if char.isalpha() else PhoneNumberFault.CHARACTERS)
    return str(digit)


def _home(country: str | None) -> str:
    if not country:
        raise PhoneNumberError(PhoneNumberFault.NO_COUNTRY)
    if country.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise PhoneNumberError(PhoneNumberFault.UNKNOWN_COUNTRY)
    return country.upper()


# One request reads the same number more than once, and a sign-up's number comes back with its resends.
@lru_cache(maxsize=1024)
def _read(written: str, home: str | None) -> PhoneNumber:
    try:
        number = phonenumbers.parse(written, home)
    except phonenumbers.NumberParseException as refusal:
        raise PhoneNumberError(_fault_of_parsing(refusal)) from None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    place = phonenumbers.region_code_for_number(number)
    # A number without a type is in no plan: that is how the library itself tells valid from invalid.
    number_type = phonenumbers.number_type(number)
    is_valid = number_type != phonenumbers.PhoneNumberType.UNKNOWN
    # Where a calling code has a single region, that region comes back for an invalid number too.
    if place is None or not is_valid or not _E164.fullmatch(e164):
        raise PhoneNumberError(_fault_of_length(number))
    return PhoneNumber(e164, place, _KINDS.get(number_type, Kind.UNKNOWN))


def _fault_of_parsing(refusal: phonenumbers.NumberParseException) -> PhoneNumberFault:
    if refusal.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return PhoneNumberFault.UNKNOWN_CALLING_CODE
    if refusal.error_type == phonenumbers.NumberParseException.TOO_LONG:
        return PhoneNumberFault.TOO_LONG
    return PhoneNumberFault.TOO_SHORT


def _fault_of_length(number: phonenumbers.PhoneNumber) -> PhoneNumberFault:
    faults = {
        phonenumbers.ValidationResult.TOO_SHORT: PhoneNumberFault.TOO_SHORT,
        phonenumbers.ValidationResult.TOO_LONG: PhoneNumberFault.TOO_LONG,
    }
    return faults.get(phonenumbers.is_possible_number_with_reason(number), PhoneNumberFault.INVALID)


def is_textable(number: PhoneNumber) -> PhoneNumberFault | None:
    """Why no SMS may go to a number, or None when one may. A number can be valid and stored all the same."""
    if number.e164.startswith(_NETWORKS):
        return PhoneNumberFault.NETWORK
    if number.kind in {Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE}:
        return None
    return PhoneNumberFault[number.kind.name]


def regions() -> frozenset[str]:
    """All two-letter regions that have phone numbers of their own."""
    return frozenset(phonenumbers.SUPPORTED_REGIONS)


def region(e164: str) -> str:
    """The two letters of the place a number belongs to, not of its calling code. Raises PhoneNumberError."""
    return parse(e164).region


def mask(e164: str) -> str:
    """`+81 ••• •••• 5678`: the country code and the last four digits, for lists and exports. Never raises.

    The bullets do not tell how long the number is, and of a very short one never more than half is shown.
    """
    code = _calling_code(e164)
    if not code:
        return "••• •••• ••••"
    national = e164.removeprefix(code)
    tail = national[-min(4, len(national) // 2) :]
    return f"{code} ••• •••• {tail:•>4}"


def _calling_code(e164: str) -> str:
    """The plus and the one to three digits after it; empty when the text is no number in E.164 form."""
    if not _E164.fullmatch(e164):
        return ""
    codes = (e164[:length] for length in (2, 3, 4))
    return next((code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")
