"""What is a country called?"""

import unicodedata
from functools import cache

from babel import Locale


@cache
def name(code: str) -> str:
    """What a country is called in English (CLDR), or its letters when nobody has named it."""
    return str(Locale("en").territories.get(code, code))


def sort_key(said: str) -> str:
    """By what a name is sorted where people look for it: its letters without accents, large or small."""
    parts = unicodedata.normalize("NFKD", said)
    return "".join(char for char in parts if not unicodedata.combining(char)).casefold()
