"""Whom does a path or a login name? The contract's ways to name a user (b.1, b.4)."""

from dataclasses import dataclass
from enum import StrEnum

from portal.core import phone_number


class AddressKind(StrEnum):
    """How a user is named; the value is the prefix on the wire."""

    USER_ID = "USER_ID"
    LOGIN_NAME = "LOGIN_NAME"
    EMAIL = "EMAIL"
    PHONE = "PHONE"


@dataclass(frozen=True, slots=True)
class Address:
    """One name of a user, not looked up yet."""

    kind: AddressKind
    value: str


def parse(text: str) -> Address:
    """What `text` names: `EMAIL:…`, `PHONE:…`, `LOGIN_NAME:…`, and a user ID without any of them."""
    prefix, colon, value = text.partition(":")
    if colon and prefix in (AddressKind.LOGIN_NAME, AddressKind.EMAIL, AddressKind.PHONE):
        return Address(AddressKind(prefix), value)
    return Address(AddressKind.USER_ID, text)


def phone_number_of(text: str) -> str | None:
    """The E.164 form of `+81…` or `JP-90…`; None when it is neither (a bare national number names nobody)."""
    country, hyphen, national = text.partition("-")
    if hyphen and len(country) == 2 and country.isascii() and country.isalpha():
        return phone_number.e164_of(national, country)
    return phone_number.e164_of(text)
