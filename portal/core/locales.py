"""Which language is a text written in, and which one is served when the wanted one is missing?

Source: RFC 5646 (well-formed tags, casing), RFC 4647, section 3.4 (looking up by ever shorter prefixes), and
Unicode LDML (UTS 35), part 1, "Likely Subtags", with CLDR's table of them as Babel carries it.
"""

import re
from collections.abc import Collection
from functools import cache, lru_cache
from typing import Final, Literal

from babel import Locale, UnknownLocaleError
from babel.core import get_global

LONGEST: Final = 35
LAST_RESORT: Final = "en"

# RFC 5646 also permits languages of four to eight letters, yet none was ever registered; "english" is a slip.
_TAG: Final = re.compile(
    r"""
    [a-z]{2,3} (?: -[a-z]{3} ){0,3}                                         # language
    (?: -[a-z]{4} )?                                                        # script
    (?: - (?: [a-z]{2} | [0-9]{3} ) )?                                      # region
    (?P<variants> (?: - (?: [a-z0-9]{5,8} | [0-9][a-z0-9]{3} ) )* )
    (?P<extensions> (?: -[a-wyz0-9] (?: -[a-z0-9]{2,8} )+ )* )
    (?: -x (?: -[a-z0-9]{1,8} )+ )?
    | x (?: -[a-z0-9]{1,8} )+                                               # a private tag
    """,
    re.VERBOSE,
)

_RIGHT_TO_LEFT: Final = frozenset(
    {"Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa", "Yezi"}
)


class LocaleError(ValueError):
    """A language tag that no reader of BCP 47 would understand."""


def normalise(tag: str) -> str:
    """A tag in the casing of BCP 47: `zh_hans_hk` gives `zh-Hans-HK`. Raises LocaleError when ill-formed."""
    if len(tag) > LONGEST:
        raise LocaleError(f"A language tag has at most {LONGEST} characters.")
    # Python lowers some foreign letters into ASCII, as with the Kelvin sign, so they must be caught before.
    folded = tag.replace("_", "-").lower() if tag.isascii() else ""
    match = _TAG.fullmatch(folded)
    if not match or _repeats(match):
        raise LocaleError("Write a language tag such as en, pt-BR or zh-Hans.")
    return _cased(folded.split("-"))


def _repeats(match: re.Match[str]) -> bool:
    variants = (match["variants"] or "").split("-")[1:]
    singletons = [subtag for subtag in (match["extensions"] or "").split("-") if len(subtag) == 1]
    return len(set(variants)) < len(variants) or len(set(singletons)) < len(singletons)


def _cased(subtags: list[str]) -> str:
    plain_until = next((at for at, subtag in enumerate(subtags) if len(subtag) == 1), len(subtags))
    cased = [
        {2: subtag.upper(), 4: subtag.title()}.get(len(subtag), subtag) if 0 < at < plain_until else subtag
        for at, subtag in enumerate(subtags)
    ]
    return "-".join(cased)


def chain(wanted: str | None, default: str) -> list[str]:
    """The tags to try, in order: what `own_chain` gives for the wanted one and for the default, then `en`.

    A stored value that is no tag is passed over, never an error.
    """
    tags = [*own_chain(wanted or ""), *own_chain(default), LAST_RESORT]
    return list(dict.fromkeys(tags))


def own_chain(tag: str) -> tuple[str, ...]:
    """The tag and its prefixes (whole subtags from the left), in the script that is meant; none for no tag.

    Phones send `zh-TW` and mean `zh-Hant-TW`. So where CLDR tells the script by the region, each prefix is
    also tried with that script written out or left out, and a prefix that means another script comes after
    the right one: `zh-TW`, `zh-Hant-TW`, `zh-Hant`, `zh`.
    """
    return _own_chain(tag) if len(tag) <= LONGEST else ()


# A sending asks each time, mostly for the same few tags.
@lru_cache(maxsize=512)
def _own_chain(tag: str) -> tuple[str, ...]:
    meant = script(tag)
    tries: list[str] = []
    for prefix in _prefixes(tag):
        others = _other_spelling(prefix, meant)
        tries += [prefix, *others] if script(prefix) == meant else [*others, prefix]
    return tuple(dict.fromkeys(tries))


def _other_spelling(prefix: str, meant: str | None) -> list[str]:
    """The prefix with the script that is meant, or without it where it goes without saying."""
    language, *others = prefix.split("-")
    if meant is None or language not in _scripts_by_region():
        return []
    if others[:1] == [meant]:
        bare = "-".join([language, *others[1:]])
        return [bare] if _is_plain(others[1:]) and script(bare) == meant else []
    return ["-".join([language, meant, *others])] if _is_plain(others) else []


def _is_plain(others: list[str]) -> bool:
    """Whether nothing but a region follows a language; CLDR guesses no script from anything else."""
    return not others or (len(others) == 1 and (len(others[0]) == 2 or others[0].isdigit()))


@cache
def _scripts_by_region() -> frozenset[str]:
    """The languages that CLDR lists with a region (`sr_ME`), since another script is usual there."""
    keys = (key.split("_") for key in get_global("likely_subtags"))
    return frozenset(key[0] for key in keys if len(key) == 2 and len(key[1]) < 4)


def _prefixes(tag: str) -> list[str]:
    try:
        subtags = normalise(tag).split("-")
    except LocaleError:
        return []
    lengths = range(len(subtags), 0, -1)
    # A prefix that ends in a single letter has lost what the letter announced, so it names nothing.
    return ["-".join(subtags[:length]) for length in lengths if len(subtags[length - 1]) > 1]


def choose(wanted: str | None, available: Collection[str], default: str) -> str:
    """The member of `available` that serves `wanted` best, as it is spelled there.

    Raises LookupError when neither the wanted one, nor the default, nor `en` is on offer.
    """
    offered = {tag.replace("_", "-").lower(): tag for tag in available}
    for tag in chain(wanted, default):
        if tag.lower() in offered:
            return offered[tag.lower()]
    raise LookupError("The wording in en is missing; it is the last resort and must exist.")


# Lists name the same few languages in row after row; tags come from outside, so what is kept is bounded.
@lru_cache(maxsize=2_048)
def name(tag: str, in_locale: str = LAST_RESORT) -> str:
    """What a language is called in another one (CLDR), or the tag itself when nobody has named it."""
    reader = _known(in_locale) or Locale(LAST_RESORT)
    locale = _known(tag)
    if locale:
        return locale.get_display_name(reader) or tag
    return str(reader.languages.get(tag.lower(), tag))


def autonym(tag: str) -> str:
    """What a language calls itself (CLDR), or the tag when CLDR has no texts in it."""
    locale = _known(tag)
    return locale.get_display_name(locale) or tag if locale else tag


def _known(tag: str) -> Locale | None:
    # Babel guesses that the undetermined language is American English, which would name it wrongly.
    if tag.lower().startswith("und"):
        return None
    try:
        return Locale.parse(normalise(tag), sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Which way a language runs, by its written or else its likely script; `ltr` when unknown."""
    return "rtl" if script(tag) in _RIGHT_TO_LEFT else "ltr"


def script(tag: str) -> str | None:
    """The script that a tag names, or else the likely one by its region (CLDR); None when unknown."""
    subtags = (_prefixes(tag) or [LAST_RESORT])[0].split("-")
    written = next((subtag for subtag in subtags[1:] if len(subtag) == 4 and subtag.isalpha()), None)
    if written:
        return written
    likely = get_global("likely_subtags")
    full = likely.get("_".join(subtags[:2])) or likely.get(subtags[0]) or ""
    return next((subtag for subtag in full.split("_")[1:] if len(subtag) == 4), None)
