"""Which countries can be picked on a form, and what are they called?"""

from functools import cache

import phonenumbers
from babel import Locale


@cache
def all_by_name() -> tuple[tuple[str, str, str], ...]:
    """Every country with phone numbers: its letters, its name, its calling code; by name."""
    rows = ((code, name(code), f"+{phonenumbers.country_code_for_region(code)}") for code in _codes())
    return tuple(sorted(rows, key=lambda row: row[1]))


@cache
def name(code: str) -> str:
    """What a country is called in English (CLDR), or its letters when nobody has named it."""
    return str(Locale("en").territories.get(code, code))


def _codes() -> frozenset[str]:
    return frozenset(phonenumbers.SUPPORTED_REGIONS)
