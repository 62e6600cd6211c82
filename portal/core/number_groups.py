"""How is a whole phone number written so that a person can read it aloud?"""

import phonenumbers


def grouped(e164: str) -> str:
    """`+81 90-1234-5678`: the number in the groups of its country. Only Reveal shows it (PII-01).

    Never raises: a number that no plan knows stays as it is.
    """
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
