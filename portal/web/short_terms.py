"""How much of a search term may an address hold? No whole phone number: addresses are kept and shared."""

import re
from collections.abc import Mapping

from flask import request

from portal.core.search_terms import MOST_REPEATED, Meaning, understand

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UP_TO_MOST = re.compile(rf"(?:\D*\d){{0,{MOST_REPEATED}}}\D*")
# What the page says of a term that its address holds only a part of.
OUTCOMES = {
    "no-number": "No user has a number with all of those digits.",
    "no-name": "No user has exactly that.",
    "several": "More than one user matches all of that.",
}
TO_GO_ON = "Press Enter to look for all of it."
TO_LOOK_UP = "Press Enter to look this phone number up. Look-ups of numbers are recorded."
TOO_FEW = "Type at least three digits of a phone number."


def is_short(text: str) -> bool:
    """Whether an address may hold `text`: up to six digits, or a user ID, which addresses hold anyway."""
    digits = sum(character.isdigit() for character in text)
    return digits <= MOST_REPEATED or understand(text).meaning is Meaning.USER_ID


def may_be_repeated(arguments: Mapping[str, str]) -> bool:
    """Whether pages may lead back to an address with these arguments: none of them is a whole number."""
    return not any(
        understand(value).is_most_of_a_number for value in arguments.values() if not _DAY.fullmatch(value)
    )


def this_address() -> str:
    """The path and arguments that were asked for; only the path where an argument is a whole number."""
    is_repeatable = is_short(request.args.get("q", "")) and may_be_repeated(request.args)
    return request.full_path.rstrip("?") if is_repeatable else request.path


def without_number(text: str) -> str:
    """A filter's text; empty where somebody typed a phone number, which no address may keep (PII-01)."""
    return "" if understand(text).is_most_of_a_number else text


def shortened(text: str) -> str:
    """The part of a term that an address may hold, and that is still the same kind of term; maybe empty.

    Numbers keep their last six digits. Names and e-mail addresses end before their seventh digit, because
    they are looked for from their beginning.
    """
    if is_short(text):
        return text
    term = understand(text)
    if term.is_number:
        # Read again, for zeros at its front may go: the box and the sentence must name the same end.
        return understand(term.value[-MOST_REPEATED:]).value
    found = _UP_TO_MOST.match(term.value)
    part = found[0] if found else ""
    return part if understand(part).meaning is term.meaning else ""


def outcome(text: str, *, is_found: bool) -> str:
    """The key of the sentence for a term that not exactly one user matches."""
    if is_found:
        return "several"
    return "no-number" if understand(text).is_number else "no-name"
