"""Is a body text with the placeholders we know and nothing else, and what does it say when filled?"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from portal.core import links
from portal.core.closed_list import ClosedList

LONGEST_BODY: Final = 918


class Placeholder(Enum):
    """What a wording may leave open. Every value is ours or the app owner's, never an end user's (TPL-03)."""

    CODE = ("code", "The verification code. It must appear exactly once.")
    APP_NAME = ("app_name", "The name of the app, as set in its settings.")
    MINUTES = ("minutes", "How many minutes the code stays valid.")

    def __init__(self, key: str, sentence: str) -> None:
        self.key = key
        self.sentence = sentence

    @property
    def written(self) -> str:
        """As it stands in a body, with its braces."""
        return f"{{{self.key}}}"


_ALL_WRITTEN: Final = ", ".join(placeholder.written for placeholder in Placeholder)


class Rule(ClosedList):
    """What a body can break; the sentence is how to put it right."""

    EMPTY = "empty", "Write a text with {code} in it."
    TOO_LONG = "too_long", f"Shorten the text to {LONGEST_BODY} characters."
    CONTROL_CHARACTER = "control_character", "Take the control character out. A new line is allowed."
    BIDI_CONTROL = "bidi_control", "Take the text direction mark out."
    INVISIBLE_CHARACTER = "invisible_character", "Take the invisible character out."
    UNKNOWN_PLACEHOLDER = "unknown_placeholder", f"Use {_ALL_WRITTEN}, or take the braces out."
    FOREIGN_PLACEHOLDER = "foreign_placeholder", f"Write placeholders as {_ALL_WRITTEN}."
    DOUBLE_BRACE = "double_brace", "Write one brace on each side, as in {code}."
    UNCLOSED_BRACE = "unclosed_brace", "Close the brace with }, or take it out."
    STRAY_BRACE = "stray_brace", "Take the } out, or open it with {."
    AUTOFILL_LINE = "autofill_line", "Take the line out: in this form it ties the code to a web site."
    LINK = "link", "Take the web address out, or put a space after the dot: texts carry no links."
    CODE_MISSING = "code_missing", "Put {code} where the code should stand."
    CODE_TWICE = "code_twice", "Keep {code} once."


_KNOWN: Final = frozenset(placeholder.written for placeholder in Placeholder)
_FILLABLE: Final = re.compile("|".join(re.escape(placeholder.written) for placeholder in Placeholder))
# Possessive throughout, so that no text makes the search walk back: the time grows with the length only.
_BRACED: Final = re.compile(
    r"""
    \$? \{++ [^{}]*+ \}*+           # {code}, and every misspelling of it up to the next brace
    | \}++
    | % \( \w{0,40}+ \) [a-z]       # %(code)s
    | ｛ [^{}｛｝]{0,40}+ ｝          # what a Japanese keyboard makes of braces
    """,
    re.VERBOSE,
)
# Whatever domain stands in such a line, browsers offer the code there (WICG origin-bound codes, TPL-04).
# Chrome looks past the start of a line too, and an app's name may end in the space that is missing.
_AUTOFILL_LINE: Final = re.compile(r"(?<![^\s}])@(?:[^ \n]++ #|[^ \n]*\{app_name\}#)")

_DIRECTION_MARKS: Final = frozenset("\u200e\u200f\u061c")
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Persian, the Indic scripts and joined emoji are misspelled without these two.
_JOINERS: Final = frozenset("\u200c\u200d")


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: where (in characters from 0, CRLF counted as one), what stands there, what to do.

    `swap` is what puts it right in the place of what stands from `at` to `end`; None when only the writer
    can tell.
    """

    rule: Rule
    at: int
    text: str
    fix: str
    end: int
    swap: str | None = None


class WordingError(ValueError):
    """A body that may not be saved. `problems` has at least one entry, in the order of the text."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problem.fix for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Wording:
    """A body that keeps every rule. Make one with `parse`."""

    body: str

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with every placeholder replaced, as `fill` does it."""
        return fill(self.body, values)


def parse(body: str) -> Wording:
    """A wording out of what an owner typed, line ends made `\\n`. Raises WordingError with every problem."""
    found = problems(body)
    if found:
        raise WordingError(found)
    return Wording(_with_plain_line_ends(body))


def problems(body: str) -> list[Problem]:
    """Everything that is wrong with a body, in the order of the text. Never raises.

    A body of more than 918 characters is not looked into; it costs the same however long it is.
    """
    text = _with_plain_line_ends(body)
    if len(text) > LONGEST_BODY:
        return [_problem(Rule.TOO_LONG, LONGEST_BODY, end=len(text))]
    if not text.strip():
        return [_problem(Rule.EMPTY, 0)]
    found = [
        *_character_problems(text),
        *_brace_problems(text),
        *_line_problems(text),
        *_link_problems(text),
        *_code_problems(text),
    ]
    # A misspelt {code} is one problem and not two: put right, nothing is missing.
    missing = [problem for problem in found if problem.rule is Rule.CODE_MISSING]
    others = [problem for problem in found if problem.rule is not Rule.CODE_MISSING]
    is_misspelt = any(problem.swap == Placeholder.CODE.written for problem in others)
    kept = others if is_misspelt else [*others, *missing]
    return sorted(kept, key=lambda problem: problem.at)


def strange_line(text: str) -> str | None:
    """The web address or the autofill line that a filled text holds, or None."""
    line = _AUTOFILL_LINE.search(text)
    return line[0].strip() if line else next((address for _, address in links.find(text)), None)


def fill(body: str, values: Mapping[str, str]) -> str:
    """A body with every known placeholder replaced once, so that braces inside a value stay as they are.

    `values` goes by key (`code`, `app_name`, `minutes`). Whatever else stands in braces stays. Raises
    KeyError when a value that is in use is missing.
    """
    return _FILLABLE.sub(lambda found: values[found[0][1:-1]], body)


def _with_plain_line_ends(body: str) -> str:
    return body.replace("\r\n", "\n")


def _problem(
    rule: Rule, at: int, text: str = "", *, end: int | None = None, swap: str | None = None
) -> Problem:
    fix = f"Write {swap}." if swap else rule.sentence
    return Problem(rule, at, text[:40], fix, at + len(text) if end is None else end, swap)


def _character_problems(text: str) -> Iterator[Problem]:
    runs_right_to_left = _runs_right_to_left(text)
    for at, char in enumerate(text):
        if char == "\n" or (char in _DIRECTION_MARKS and runs_right_to_left) or char in _JOINERS:
            continue
        rule = _rule_against(char)
        if rule:
            yield _problem(rule, at, f"U+{ord(char):04X}", end=at + 1, swap="")


def _runs_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in set(text) - _DIRECTION_MARKS)


def _rule_against(char: str) -> Rule | None:
    if char in _BIDI_CONTROLS or char in _DIRECTION_MARKS:
        return Rule.BIDI_CONTROL
    category = unicodedata.category(char)
    if category == "Cf":
        return Rule.INVISIBLE_CHARACTER
    return Rule.CONTROL_CHARACTER if category in {"Cc", "Cs", "Zl", "Zp"} else None


def _brace_problems(text: str) -> Iterator[Problem]:
    for found in _BRACED.finditer(text):
        rule = _rule_broken_by(found[0])
        if rule:
            yield _problem(rule, found.start(), found[0], swap=_meant(rule, found[0]))


def _rule_broken_by(token: str) -> Rule | None:
    if token in _KNOWN:
        return None
    if token[0] in "$%｛":
        return Rule.FOREIGN_PLACEHOLDER
    if token[0] == "}":
        return Rule.STRAY_BRACE
    if "}" not in token:
        return Rule.UNCLOSED_BRACE
    return Rule.DOUBLE_BRACE if token.startswith("{{") or token.endswith("}}") else Rule.UNKNOWN_PLACEHOLDER


def _meant(rule: Rule, token: str) -> str | None:
    """What the writer most likely meant; None when nothing comes to mind and the rule's own fix stands."""
    letters = re.sub(r"[^a-z]|(?<=\))[a-z]$", "", token.lower())
    meant = (each.written for each in Placeholder if each.key.replace("_", "") == letters)
    return next(meant, "" if rule is Rule.STRAY_BRACE else None)


def _line_problems(text: str) -> Iterator[Problem]:
    for found in _AUTOFILL_LINE.finditer(text):
        yield _problem(Rule.AUTOFILL_LINE, found.start(), found[0])


def _link_problems(text: str) -> Iterator[Problem]:
    """Links need the operator's approval, which no owner can give to themselves (TPL-05)."""
    for at, address in links.find(text):
        yield _problem(Rule.LINK, at, address)


def _code_problems(text: str) -> Iterator[Problem]:
    code = Placeholder.CODE.written
    first, *others = [found.start() for found in re.finditer(re.escape(code), text)] or [-1]
    if first < 0:
        gap = "" if text[-1:].isspace() else " "
        yield Problem(Rule.CODE_MISSING, len(text), "", Rule.CODE_MISSING.sentence, len(text), gap + code)
    for at in others:
        yield _problem(Rule.CODE_TWICE, at, code, swap="")
