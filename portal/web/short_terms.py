"""How much of a search term may an address hold? No whole phone number: addresses are kept and shared."""

import re

from portal.core import phone_number
from portal.core.search_terms import Meaning, Term, understand

MOST_DIGITS = 6
_UP_TO_MOST = re.compile(rf"(?:\D*\d){{0,{MOST_DIGITS}}}\D*")
NUMBERS = frozenset({Meaning.PHONE_NUMBER, Meaning.PHONE_NUMBER_ENDING})
# What the page says of a term that its address holds only a part of.
OUTCOMES = {
    "no-number": "No user has that whole number.",
    "no-name": "No user has exactly that.",
    "several": "More than one user matches all of that.",
}
TO_GO_ON = "Press Enter to look for all of it."


def is_short(text: str) -> bool:
    """Whether an address may hold `text`: up to six digits, or a user ID, which addresses hold anyway."""
    digits = sum(character.isdigit() for character in text)
    return digits <= MOST_DIGITS or understand(text).meaning is Meaning.USER_ID


def shortened(text: str, *, is_found: bool) -> str:
    """The part of a term that an address may hold, and that is still the same kind of term; maybe empty.

    Whole numbers keep their last six digits. Names, e-mail addresses and beginnings of numbers that somebody
    has (`is_found`) end before their seventh digit, because they are looked for from their beginning.
    """
    if is_short(text):
        return text
    term = understand(text)
    if term.meaning in NUMBERS and not (is_found and _is_beginning(term)):
        # Read again, for zeros at its front may go: the box and the sentence must name the same end.
        return understand(term.value[-MOST_DIGITS:]).value
    found = _UP_TO_MOST.match(term.value)
    part = found[0] if found else ""
    return part if understand(part).meaning is term.meaning else ""


def outcome(text: str, *, is_found: bool) -> str:
    """The key of the sentence for a term that not exactly one user matches."""
    if is_found:
        return "several"
    return "no-number" if understand(text).meaning in NUMBERS else "no-name"


def _is_beginning(term: Term) -> bool:
    try:
        phone_number.parse(term.value)
    except phone_number.PhoneNumberError:
        return term.meaning is Meaning.PHONE_NUMBER
    return False
