"""Which countries can be picked on a form, and what are they called?"""

from functools import cache

import phonenumbers

from portal.core.country_names import by_name, name

__all__ = ["all_by_name", "by_name", "name"]


@cache
def all_by_name() -> tuple[tuple[str, str, str], ...]:
    """Every country with phone numbers: its letters, its name, its calling code; by name."""
    codes = by_name(phonenumbers.SUPPORTED_REGIONS)
    return tuple((code, name(code), f"+{phonenumbers.country_code_for_region(code)}") for code in codes)
