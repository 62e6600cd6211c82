"""Which values may a user's fields have? The limits of contract b.5, each refused with its fix."""

import json
import re

from pydantic_core import PydanticCustomError

from portal.core import addresses, locales
from portal.errors import BadInput

SHORTEST_PASSWORD = 4
LONGEST_PASSWORD = 50
LARGEST_CUSTOM_FIELDS = 63 * 1024
TOO_SHORT = "password_too_short"

_LOGIN_NAME = re.compile(r"[A-Za-z0-9._-]{3,64}")
_PASSWORD = re.compile(r"[ -~]+")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_EMAIL_ADDRESS = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")
_LONGEST_DISPLAY_NAME = 50


def login_name(text: str) -> str:
    """A login name as it is stored."""
    if addresses.phone_number_of(text) is not None:
        raise _wrong("A login name may not read as a phone number, or it would log in in its holder's place.")
    if _LOGIN_NAME.fullmatch(text):
        return text
    raise _wrong("A login name has 3 to 64 letters, digits, hyphens, underscores and dots.")


def password(text: str) -> str:
    """A new password, unchanged. One that is too short is told apart (contract e, PASSWORD_TOO_SHORT)."""
    if len(text) < SHORTEST_PASSWORD:
        raise PydanticCustomError(TOO_SHORT, "A password has at least 4 characters.")
    if len(text) > LONGEST_PASSWORD or not _PASSWORD.fullmatch(text):
        raise _wrong("A password has 4 to 50 printable ASCII characters.")
    return text


def display_name(text: str) -> str:
    """A display name as it is stored."""
    if 1 <= len(text) <= _LONGEST_DISPLAY_NAME and text.isprintable():
        return text
    raise _wrong("A display name has 1 to 50 printable characters.")


def country(text: str) -> str:
    """A country in capitals."""
    if _COUNTRY.fullmatch(text):
        return text.upper()
    raise _wrong("A country is two letters, such as JP.")


def locale(text: str) -> str:
    """A locale in its usual spelling."""
    try:
        return locales.normalise(text)
    except locales.LocaleError as error:
        raise _wrong(str(error)) from None


def email_address(text: str) -> str:
    """An e-mail address in small letters, as it is stored and compared."""
    if _EMAIL_ADDRESS.fullmatch(text.strip()):
        return text.strip().lower()
    raise _wrong("An e-mail address has one @ with something on both sides.")


def custom(fields: dict[str, object]) -> dict[str, object]:
    """Custom fields, unchanged. Raises BadInput when they have more than 63 KB together (contract a.1)."""
    if len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()) > LARGEST_CUSTOM_FIELDS:
        raise BadInput("body", "Custom fields have at most 63 KB together.")
    return fields


def _wrong(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("wrong_value", sentence)
