"""How do all SMS templates of an app stand in one file, and what is wrong with a file that someone brings?

The file is JSON in UTF-8: {"format": "ringback.sms-templates", "version": 1, "default_locale": "en",
"templates": [{"locale": "ja", "body": "..."}]}.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from portal.core import locales, placeholders

FORMAT: Final = "ringback.sms-templates"
VERSION: Final = 1
LONGEST_FILE: Final = 256 * 1024
MOST_TEMPLATES: Final = 100
MOST_PROBLEMS: Final = 5  # that are named of one body

_KEYS: Final = ("format", "version", "default_locale", "templates")
_ENTRY_KEYS: Final = ("locale", "body")


class FileError(ValueError):
    """A file that cannot be imported. `problems` has at least one sentence, in the order of the file."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A file that keeps every rule: `templates` are pairs of a BCP 47 tag and a body, no tag twice."""

    default_locale: str | None
    templates: tuple[tuple[str, str], ...]


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys stood there twice, as the last one silently wins."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]


def write(default_locale: str, templates: Iterable[tuple[str, str]]) -> str:
    """The text of a file, by locale, so that two exports of the same templates are equal byte for byte."""
    entries = [{"locale": locale, "body": body} for locale, body in sorted(templates)]
    whole = {"format": FORMAT, "version": VERSION, "default_locale": default_locale, "templates": entries}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def read(text: str | bytes) -> TemplateFile:
    """What stands in a file; tags in the casing of BCP 47, line ends made `\\n`. Raises FileError."""
    found = _loaded(_decoded(text))
    if not isinstance(found, _Object):
        raise FileError(["The file must hold one JSON object, in braces."])
    entries: Any = found.get("templates")
    problems = [*_problems_of_the_whole(found), *_problems_of_all(entries)]
    if problems:
        raise FileError(problems)
    default = found.get("default_locale")
    return TemplateFile(
        None if default is None else locales.normalise(default),
        tuple((locales.normalise(each["locale"]), placeholders.parse(each["body"]).body) for each in entries),
    )


def _decoded(text: str | bytes) -> str:
    # The length comes first, so that nothing is ever done with a file of gigabytes.
    raw = text if isinstance(text, bytes) else text[: LONGEST_FILE + 1].encode(errors="surrogatepass")
    if len(raw) > LONGEST_FILE:
        raise FileError([f"The file is larger than {LONGEST_FILE // 1024} KiB."])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError([f"The file is no UTF-8 text: see byte {error.start + 1}."]) from error


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise FileError([f"The file is no JSON: see {place} ({error.msg})."]) from error
    except RecursionError as error:
        raise FileError(["The file has brackets within brackets within brackets: too deep."]) from error
    except ValueError as error:
        raise FileError(["The file has a number of thousands of digits."]) from error


def _problems_of_the_whole(whole: _Object) -> Iterator[str]:
    yield from _key_problems("the file", whole, _KEYS)
    if whole.get("format") != FORMAT:
        yield f"format: it must be '{FORMAT}'."
    # True and 1.0 equal 1 in Python, yet nobody would write them for a version.
    if type(whole.get("version")) is not int or whole["version"] != VERSION:
        yield f"version: it must be {VERSION}; no other is known here."
    if whole.get("default_locale") is not None:
        yield from _locale_problems("default_locale", whole["default_locale"])


def _problems_of_all(entries: Any) -> Iterator[str]:
    if not isinstance(entries, list):
        yield "templates: it must be a list of entries, each with a locale and a body."
        return
    if len(entries) > MOST_TEMPLATES:
        yield f"templates: there are {len(entries)} entries, and at most {MOST_TEMPLATES} are taken."
        return
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        yield from _entry_problems(f"templates, entry {number}", entry)
        yield from _repetition(entry, number, first)


def _entry_problems(place: str, entry: Any) -> Iterator[str]:
    if not isinstance(entry, _Object):
        yield f"{place}: it must be an object with a locale and a body."
        return
    yield from _key_problems(place, entry, _ENTRY_KEYS)
    yield from _locale_problems(place, entry.get("locale"))
    body = entry.get("body")
    if not isinstance(body, str):
        yield f"{place}: the body must be text."
        return
    problems = placeholders.problems(body)
    for problem in problems[:MOST_PROBLEMS]:
        broken = problem.rule.replace("_", " ")
        what = f" ({_quoted(problem.text)})" if problem.text else ""
        yield f"{place}: {broken} at character {problem.at + 1} of the body{what}. {problem.fix}"
    if len(problems) > MOST_PROBLEMS:
        yield f"{place}: the body has {len(problems) - MOST_PROBLEMS} more problems."


def _repetition(entry: Any, number: int, first: dict[str, int]) -> Iterator[str]:
    """Notes which entry brings a locale first, and says so when another one did."""
    try:
        locale = locales.normalise(entry["locale"])
    except (AttributeError, KeyError, TypeError, locales.LocaleError):
        return
    if first.setdefault(locale, number) != number:
        yield f"templates, entry {number}: the locale '{locale}' stands in entry {first[locale]} already."


def _locale_problems(place: str, locale: Any) -> Iterator[str]:
    if not isinstance(locale, str):
        yield f"{place}: the locale must be text."
        return
    try:
        locales.normalise(locale)
    except locales.LocaleError as error:
        yield f"{place}: the locale {_quoted(locale)} is no language tag. {error}"


def _key_problems(place: str, found: _Object, known: tuple[str, ...]) -> Iterator[str]:
    unknown = [key for key in found if key not in known]
    if unknown:
        yield f"{place}: {_listed(unknown)} is unknown; take it out. It may have {', '.join(known)}."
    if found.repeated:
        yield f"{place}: {_listed(found.repeated)} stands there twice."


def _listed(keys: list[str]) -> str:
    shown = ", ".join(_quoted(key) for key in keys[:3])
    return f"{shown} and {len(keys) - 3} more" if len(keys) > 3 else shown


def _quoted(text: str) -> str:
    """Somebody's text for a sentence: short, and with what cannot be seen or sent by its number."""
    seen = (char if char.isprintable() else f"U+{ord(char):04X}" for char in text[:40])
    return f"'{''.join(seen)}{'…' if len(text) > 40 else ''}'"
