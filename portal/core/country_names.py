"""What is a country called?"""

from functools import cache

from babel import Locale


@cache
def name(code: str) -> str:
    """What a country is called in English (CLDR), or its letters when nobody has named it."""
    return str(Locale("en").territories.get(code, code))
