"""Which countries can be picked on a form, and what are they called?"""

from functools import cache

import phonenumbers

from portal.core.country_names import name, sort_key

__all__ = ["all_by_name", "name", "sort_key"]


@cache
def all_by_name() -> tuple[tuple[str, str, str], ...]:
    """Every country with phone numbers: its letters, its name, its calling code; by name."""
    rows = ((code, name(code), f"+{phonenumbers.country_code_for_region(code)}") for code in _codes())
    return tuple(sorted(rows, key=lambda row: sort_key(row[1])))


def _codes() -> frozenset[str]:
    return frozenset(phonenumbers.SUPPORTED_REGIONS)
