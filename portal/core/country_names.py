"""What is a country called?"""

import unicodedata
from collections.abc import Iterable
from functools import cache

from babel import Locale


@cache
def name(code: str) -> str:
    """What a country is called in English (CLDR), or its letters when nobody has named it."""
    return str(Locale("en").territories.get(code, code))


def by_name(codes: Iterable[str]) -> list[str]:
    """Countries (two letters each) in the order in which people look for their names.

    That is by letters without accents, large or small.
    """
    return sorted(codes, key=lambda code: _plain(name(code)))


def _plain(said: str) -> str:
    parts = unicodedata.normalize("NFKD", said)
    return "".join(char for char in parts if not unicodedata.combining(char)).casefold()
