"""What does a sign-up or an update bring? Records that the doors fill and the user verbs read."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a sign-up brings, checked for shape by the door (contract b.2, b.5)."""

    login_name: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    display_name: str | None = None
    country: str | None = None
    locale: str | None = None
    custom_fields: dict[str, object] = field(default_factory=dict)
    # True for the registration type that answers with a token, with which a phone-only user can verify.
    authorizes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """What an update brings. None stays as it is; custom fields are replaced as a whole (contract b.2)."""

    login_name: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    display_name: str | None = None
    country: str | None = None
    locale: str | None = None
    custom_fields: dict[str, object] = field(default_factory=dict)


def new_user_id() -> str:
    """A fresh user ID in the shape that Kii clients know: 128 bits in hex groups of 12-4-4-4-8."""
    digits = secrets.token_hex(16)
    return "-".join((digits[:12], digits[12:16], digits[16:20], digits[20:24], digits[24:]))
