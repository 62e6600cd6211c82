"""How is a user written? Full, or what others may see (contract a.1, b.2)."""

from portal.core.waiting_numbers import pending
from portal.models import User
from portal.services.tokens import Issued


def full(user: User, now: int) -> dict[str, object]:
    """The whole record. A field that the user does not have is absent; times are Unix ms (contract a.1).

    `_phoneNumberPending` shows only a number that still waits at `now`.
    """
    record: dict[str, object] = {
        "userID": user.id,
        "loginName": user.login_name,
        "displayName": user.display_name,
        "country": user.country,
        "locale": user.locale,
        "emailAddress": user.email_address,
        "emailAddressVerified": True if user.email_address else None,
        "phoneNumber": user.phone_number,
        "phoneNumberVerified": user.phone_number_verified if user.phone_number else None,
        "_phoneNumberPending": pending(user.pending_phone_number, user.pending_until, now),
        "_hasPassword": user.password_hash is not None,
        "_disabled": user.disabled,
        "createdAt": user.created_at,
        "modifiedAt": user.modified_at,
    }
    return {**user.custom_fields, **_present(record)}


def limited(user: User) -> dict[str, object]:
    """What other users may see while the app does not expose full user data (contract b.2)."""
    record: dict[str, object] = {
        "userID": user.id,
        "loginName": user.login_name,
        "displayName": user.display_name,
        "_disabled": user.disabled,
    }
    return _present(record)


def tokens(issued: Issued) -> dict[str, object]:
    """The token of a sign-up that also logs in; it stands in the user's record (contract b.2)."""
    return _present({"_accessToken": issued.token, "_refreshToken": issued.refresh_token})


def _present(record: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in record.items() if value is not None}
