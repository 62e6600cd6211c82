"""What does every language of CLDR call itself?

Babel keeps all that it ever loads: 130 MB for these names. So its files are read here one at a time, and only
the names are kept (about 1 MB, a third of a second of one core, once per process).
"""

import pickle
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from babel.core import get_global
from babel.localedata import locale_identifiers, resolve_locale_filename

from portal.core import locales

_KINDS: Final = ("languages", "scripts", "territories", "variants")
_ONE_READER: Final = Lock()


def autonyms() -> Mapping[str, str]:
    """Every tag that CLDR has texts for, in the casing of BCP 47, with its name in itself.

    The names are those of `locales.autonym`: `pt-BR` gives `português (Brasil)`; what has no name gives
    its tag.
    """
    # Twenty authors may type their first letter at once, and the files are to be read once.
    with _ONE_READER:
        return _read_all()


@cache
def _read_all() -> Mapping[str, str]:
    # POSIX names a programming environment, which nobody speaks.
    identifiers = sorted(each for each in locale_identifiers() if not each.endswith("POSIX"))
    read = {locales.normalise(each): _autonym(each) for each in identifiers}
    _texts.cache_clear()
    return MappingProxyType(read)


def _autonym(identifier: str) -> str:
    language, *others = identifier.split("_")
    name = _said(identifier, "languages", language)
    details = [_said(identifier, _kind(subtag), subtag) for subtag in others]
    detail = ", ".join(text for text in details if text)
    if not name:
        return locales.normalise(identifier)
    return f"{name} ({detail})" if detail else name


def _kind(subtag: str) -> str:
    return {4: "scripts", 3: "territories", 2: "territories"}.get(len(subtag), "variants")


def _said(identifier: str, kind: str, key: str) -> str | None:
    """A text in the words of the locale, or else of the one that it inherits from."""
    found = (_texts(each)[kind].get(key) for each in _ancestry(identifier))
    return next((text for text in found if text), None)


def _ancestry(identifier: str) -> Iterator[str]:
    while identifier != "root":
        yield identifier
        identifier = get_global("parent_exceptions").get(identifier) or _shorter(identifier)


def _shorter(identifier: str) -> str:
    language, _, rest = identifier.partition("_")
    likely = get_global("likely_subtags").get(language, "").split("_")
    # Nothing is borrowed from a language's usual script for an unusual one (CLDR 45).
    unusual = len(rest) == len("Hans") and rest not in likely
    return "root" if unusual or not rest else identifier.rpartition("_")[0]


@lru_cache(maxsize=16)
def _texts(identifier: str) -> dict[str, dict[str, str]]:
    path = Path(resolve_locale_filename(identifier))
    # The file is part of the installed Babel, and as trusted as its code.
    data: dict[str, Any] = pickle.loads(path.read_bytes())  # noqa: S301
    return {kind: data.get(kind, {}) for kind in _KINDS}
