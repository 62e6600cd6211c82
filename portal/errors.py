"""Every refusal that Ringback can utter.

Refusal
├── BadInput                 a field is missing or malformed; nothing was changed
├── Unauthorized             no usable credentials, or they do not reach this thing
│   ├── WrongToken           the bearer is unknown, expired or void
│   ├── InvalidGrant         unknown identifier, wrong password or unverified number, told apart by nobody
│   ├── WrongPassword        the old password of a change is wrong
│   └── UserDisabled         the user was suspended
├── Forbidden                the caller is known and may not do this
├── NotSupported             this app, or Ringback, does not do this
├── NotFound                 no such thing (or not yours, which is the same)
├── AlreadyExists            somebody else holds this login name, address or number
│   └── Overtaken            somebody else changed the thing since the caller looked at it
├── NothingToVerify          verify or resend with no number waiting
├── WrongCode                a guess was evaluated and is wrong
├── CodeExpired              the code is too old; a resend makes a new one
├── CodeNotFound             there is no live code to read
├── KeyReused                an Idempotency-Key came with another request than before
├── KeyInUse                 the first request with this Idempotency-Key is still being answered
├── TooSoon                  a limit; carries the reason and when to come back
└── Busy                     too much work in flight; come back soon
"""

from enum import StrEnum


class Refusal(Exception):
    """A request that was understood and refused; `message` is safe to show to anybody."""

    # A wrong guess must stay counted although it is refused: its transaction commits (OTP-04).
    keeps_changes = False

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class BadInput(Refusal):
    """A field is missing or malformed. `field` names it, the message says the fix.

    `reason` is a core.reasons.Reason where the number itself is the trouble.
    """

    def __init__(self, field: str, message: str, reason: StrEnum | None = None, **details: object) -> None:
        super().__init__(message, field=field, **({"reason": reason} if reason else {}), **details)
        self.field = field
        self.reason = reason


class Unauthorized(Refusal):
    """No usable credentials, or they do not reach this thing (contract e, UNAUTHORIZED)."""


class WrongToken(Unauthorized):
    """The bearer is unknown, expired or void (contract e, WRONG_TOKEN)."""


class InvalidGrant(Unauthorized):
    """A login was refused; every cause reads the same (contract a.3, ENU-01)."""


class WrongPassword(Unauthorized):
    """The old password of a password change is wrong (contract e, WRONG_PASSWORD)."""


class UserDisabled(Unauthorized):
    """The user was suspended by an administrator (contract e, USER_DISABLED)."""


class Forbidden(Refusal):
    """The caller is known and may not do this (portal roles, TEN-05)."""


class NotSupported(Refusal):
    """This app, or Ringback, does not do this (contract e, OPERATION_NOT_SUPPORTED)."""


class NotFound(Refusal):
    """No such thing, or not the caller's, which reads the same (TEN-02). `kind` is the noun."""

    def __init__(self, kind: str, message: str, **details: object) -> None:
        super().__init__(message, **details)
        self.kind = kind


class AlreadyExists(Refusal):
    """Somebody else holds this value (contract e, USER_ALREADY_EXISTS)."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"User with {field} {value} already exists", field=field, value=value)
        self.field = field


class Overtaken(AlreadyExists):
    """Somebody else changed the thing since the caller looked at it; nothing of either is lost."""

    def __init__(self, message: str) -> None:
        Refusal.__init__(self, message, field="version", value="")
        self.field = "version"


class NothingToVerify(Refusal):
    """Verify, resend or reset with no number waiting (contract e, INVALID_ACCOUNT_STATUS)."""


class WrongCode(Refusal):
    """A guess was evaluated and is wrong (contract e, INVALID_VERIFICATION_CODE)."""

    keeps_changes = True


class CodeExpired(Refusal):
    """The code is too old (contract e, PHONE_NUMBER_VERIFICATION_CODE_EXPIRED)."""


class CodeNotFound(Refusal):
    """There is no live code to read (contract e, VERIFICATION_CODE_NOT_FOUND)."""


class KeyReused(Refusal):
    """An Idempotency-Key came with another request than before (DEL-11)."""


class KeyInUse(Refusal):
    """The first request with this Idempotency-Key is still being answered (DEL-11)."""

    # Seconds after which to ask again.
    retry_after = 1


class TooSoon(Refusal):
    """A limit was hit (contract c.3, the 429 rule).

    `reason` is a core.reasons.Reason, `message` its sentence; `next_allowed_at` is Unix time in ms.
    """

    def __init__(self, reason: StrEnum, message: str, next_allowed_at: int) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason
        self.next_allowed_at = next_allowed_at


class Busy(Refusal):
    """Too much work is in flight; the caller should try again after `retry_after` seconds.

    `reason` is a core.reasons.Reason where it is this app's messages that crowd.
    """

    def __init__(self, message: str, retry_after: int = 1, **details: object) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after
