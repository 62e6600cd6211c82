"""What does only the REST door refuse? Refusals that have a code in the contract and no meaning below."""

from portal.errors import BadInput, Refusal, Unauthorized


class InvalidJson(Refusal):
    """The body is not JSON (contract e, INVALID_JSON)."""


class WrongMediaType(Refusal):
    """The Content-Type is not one that this call takes (WEB-10)."""


class AccountTypeNotSupported(Refusal):
    """A user was named by an unknown `TYPE:` (contract e, ACCOUNT_TYPE_NOT_SUPPORTED)."""


class NoAccountProvided(Refusal):
    """A plain sign-up without login name, address and number (contract e, NO_ACCOUNT_PROVIDED)."""


class WrongRefreshToken(Unauthorized):
    """The refresh token is unknown, expired or spent (contract e, WRONG_REFRESH_TOKEN)."""


class PasswordTooShort(BadInput):
    """A password has fewer than four characters (contract b.5; e, PASSWORD_TOO_SHORT)."""
