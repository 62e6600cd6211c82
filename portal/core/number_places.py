"""Where does a number belong, and by which calling code is a country reached?"""

import phonenumbers

from portal.core.phone_number import PhoneNumberError, region


def calling_code(country: str) -> int | None:
    """The calling code of a country (two letters): 81 for JP. None for what is no country."""
    return phonenumbers.country_code_for_region(country) or None


def place(e164: str | None) -> str | None:
    """The region of a number that may not be there, or that no plan knows any more. Never raises."""
    try:
        return None if e164 is None else region(e164)
    except PhoneNumberError:
        return None
