"""Which language does an owner mean by what was typed so far?

The names are from CLDR, as Babel carries it: in English, and in the language itself.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

from portal.core import locales
from portal.core.locale_autonyms import autonyms

LONGEST: Final = 60

# By how many people read them, so that a single letter already finds what most owners look for.
_COMMON: Final = (
    *("en", "zh", "hi", "es", "ar", "fr", "bn", "pt", "ru", "id", "ur", "de", "ja", "sw", "mr"),
    *("te", "tr", "ta", "yue", "vi", "ko", "it", "th", "fil", "gu", "fa"),  # codespell:ignore te
    *("pl", "pa", "jv", "ha", "my", "kn", "uk", "ml", "ro", "nl", "uz", "am", "ms", "ps", "yo"),
    *("el", "cs", "sv", "hu", "he", "da", "fi", "nb", "bg", "sk", "hr", "sr", "ca", "lt", "sl", "lv", "et"),
)
_RANK: Final = {language: rank for rank, language in enumerate(_COMMON)}
_BETWEEN_WORDS: Final = re.compile(r"[\s()\[\],;:/·._-]+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A language on offer: its BCP 47 tag, its name in English and in itself (the tag when it has none)."""

    tag: str
    name: str
    autonym: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One language as it is searched: its names and its words, each with a mark before it."""

    suggestion: Suggestion
    names: str
    words: str
    hard_words: str
    order: tuple[int, int, int, str]


def suggest(typed: str, most: int = 8) -> list[Suggestion]:
    """At most `most` languages for a tag, or the beginning of words of a name, best first. Never raises.

    A language comes before its scripts and regions, and a common one before a rare one. A well-formed tag
    that CLDR does not list is offered as it is.
    """
    wanted = _folded(typed.strip()) if len(typed) <= LONGEST else ""
    if not _words(wanted) or most < 1:
        return []
    tag = _as_tag(typed.strip())
    rank = _ranker(wanted, tag)
    ranked = [(found, entry) for entry in _index() if (found := rank(entry)) is not None]
    ranked.sort(key=lambda each: (each[0], each[1].order))
    return _with_the_unlisted([entry.suggestion for _, entry in ranked], tag, most)


def _as_tag(typed: str) -> str | None:
    """What was typed as a tag, by its present name: `iw` is `he`, and `jpn` is `ja`."""
    try:
        tag = locales.normalise(typed)
    except locales.LocaleError:
        return None
    language, _, rest = tag.partition("-")
    present = get_global("language_aliases").get(language, language).replace("_", "-")
    renamed = f"{present}-{rest}" if rest else str(present)
    # What is now a script or region of another language takes no second; and a longer name may be too long.
    return tag if (rest and "-" in present) or len(renamed) > locales.LONGEST else renamed


def _ranker(wanted: str, tag: str | None) -> Callable[[_Entry], int | None]:
    """What tells how well an entry answers: from 0, the very tag, to 3; None when it does not."""
    name = _marked([wanted])
    words = [_marked([word]) for word in _words(wanted)]
    hard_words = [_hard(word) for word in words]

    def rank(entry: _Entry) -> int | None:
        if entry.suggestion.tag == tag:
            return 0
        if name in entry.names:
            return 1
        if all(word in entry.words for word in words):
            return 2
        return 3 if all(word in entry.hard_words for word in hard_words) else None

    return rank


def _marked(texts: Iterable[str]) -> str:
    return "".join(f"\n{text}" for text in texts)


def _hard(text: str) -> str:
    """Half of Europe writes Kantonese, Kroatian and Katalan."""
    return text.replace("c", "k")


def _with_the_unlisted(found: list[Suggestion], tag: str | None, most: int) -> list[Suggestion]:
    if not tag or tag in autonyms():
        return found[:most]
    full = get_global("likely_subtags").get(tag.replace("-", "_"), tag).replace("_", "-")
    itself = Suggestion(tag, locales.name(tag), autonyms().get(full, tag))
    # Two or three letters are more often the beginning of a name than a language that nobody has listed.
    return [itself, *found][:most] if "-" in tag else [*found[: most - 1], itself]


@cache
def _index() -> tuple[_Entry, ...]:
    nicknames = _nicknames()
    return tuple(_entry(tag, own, nicknames.get(tag, [])) for tag, own in autonyms().items())


def _nicknames() -> dict[str, list[str]]:
    """CLDR's English names of whole tags (Brazilian Portuguese) and of retired ones (Tagalog), by tag."""
    present = get_global("language_aliases")
    found: dict[str, list[str]] = {}
    for identifier, name in Locale(locales.LAST_RESORT).languages.items():
        found.setdefault(present.get(identifier, identifier).replace("_", "-"), []).append(name)
    return found


def _entry(tag: str, autonym: str, nicknames: list[str]) -> _Entry:
    suggestion = Suggestion(tag, locales.name(tag), autonym)
    names = [_folded(text) for text in (tag, suggestion.name, autonym, *nicknames)]
    words = _marked(sorted({word for name in names for word in _words(name)}))
    return _Entry(suggestion, _marked(names), words, _hard(words), _order(tag, has_nickname=bool(nicknames)))


def _order(tag: str, *, has_nickname: bool) -> tuple[int, int, int, str]:
    language, *others = tag.split("-")
    home = get_global("likely_subtags").get(language, "").split("_")
    # CLDR nicknames the regions whose wording differs most, which are those that owners ask for.
    region = 0 if others and others[-1] in home else 1 if has_nickname else 2
    return len(others), _RANK.get(language, len(_RANK)), region, tag


def _folded(text: str) -> str:
    """Without accents and case, and with full-width letters as plain ones."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()


def _words(folded: str) -> list[str]:
    return [word for word in _BETWEEN_WORDS.split(folded) if word]
