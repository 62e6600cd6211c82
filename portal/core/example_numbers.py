"""Which number stands for a country where no phone may ring?"""

import phonenumbers

from portal.core.phone_number import PhoneNumber, parse


def mobile(country: str) -> PhoneNumber | None:
    """The mobile number that a country's (two letters) numbering plan gives as its example; None without one.

    Small places share their numbers with a bigger neighbour, whose region the number then has.
    """
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        return None
    return parse(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
