"""What may come in? One model a request type of the contract (b.2); strict types, closed but for users.

A closed shape refuses fields that it does not own (OTP-12). A user takes any field: those that are not
Kii's become custom fields, and names that the server owns are ignored, because the SDK sends them back
(contract c.3).
"""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
)
from pydantic.alias_generators import to_camel

from portal.api import fields

# Owned by the server; sent back by the SDK in updates and never taken over.
SYSTEM_NAMES = frozenset(
    {
        "userID",
        "id",
        "internalUserID",
        "emailAddressVerified",
        "phoneNumberVerified",
        "created",
        "createdAt",
        "modified",
        "modifiedAt",
    }
)
# Long enough for every value that passes, short enough to repeat in a refusal.
_Code = Annotated[StrictStr, StringConstraints(max_length=64)]
_Text = Annotated[StrictStr, StringConstraints(max_length=300)]
_Secret = Annotated[StrictStr, StringConstraints(max_length=1024)]
_Password = Annotated[_Secret, AfterValidator(fields.password)]
_EmailAddress = Annotated[_Text, AfterValidator(fields.email_address)]
# Milliseconds that the databases' 64-bit columns can hold.
_Ms = Annotated[StrictInt, Field(ge=0, lt=2**62)]


class _Closed(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class _User(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    login_name: Annotated[_Text, AfterValidator(fields.login_name)] | None = None
    display_name: Annotated[_Text, AfterValidator(fields.display_name)] | None = None
    country: Annotated[_Text, AfterValidator(fields.country)] | None = None
    locale: Annotated[_Text, AfterValidator(fields.locale)] | None = None
    email_address: _EmailAddress | None = None
    phone_number: _Text | None = None
    password: _Password | None = None

    @property
    def custom_fields(self) -> dict[str, object]:
        """Every field that is neither Kii's nor the server's; `_` names are not stored (contract a.1).

        Raises BadInput over 63 KB.
        """
        found = {
            name: value
            for name, value in (self.model_extra or {}).items()
            if not name.startswith("_") and name not in SYSTEM_NAMES
        }
        return fields.custom(found)


class RegistrationRequest(_User):
    """POST users: the plain type. `phoneNumberVerified` counts from an admin only."""

    phone_number_verified: StrictBool | None = None


class RegistrationAndAuthorizationRequest(RegistrationRequest):
    """POST users: the type that also returns a token, and makes pseudo users."""


class UserUpdateRequest(_User):
    """POST users/{user}: unnamed Kii fields stay, custom fields are replaced as a whole."""


class TokenRequest(BaseModel):
    """POST oauth2/token: what is wanted shows in the fields (contract b.4). OAuth asks to ignore others."""

    model_config = ConfigDict(extra="ignore")

    grant_type: _Text | None = None
    username: _Text | None = None
    password: _Secret | None = None
    client_id: _Text | None = None
    client_secret: _Secret | None = None
    refresh_token: _Secret | None = None
    expires_at: _Ms | None = Field(default=None, alias="expiresAt")


class TokenForm(TokenRequest):
    """The same as a form, where every value is text."""

    expires_at: Annotated[int, Field(ge=0, lt=2**62)] | None = Field(default=None, alias="expiresAt")


class PhoneNumberModificationRequest(_Closed):
    """PUT phone-number; only an admin may send `verified: true`."""

    phone_number: _Text
    verified: StrictBool | None = None


class EmailAddressModificationRequest(_Closed):
    """PUT email-address."""

    email_address: _EmailAddress
    verified: StrictBool | None = None


class AddressVerificationRequest(_Closed):
    """POST phone-number/verify: the code is text, never a number (OTP-11)."""

    verification_code: _Code


class ChangePasswordRequest(_Closed):
    """PUT password."""

    old_password: _Secret
    new_password: _Password


class UserStatusUpdateRequest(_Closed):
    """PUT status."""

    disabled: StrictBool


class UserQuery(_Closed):
    """Which users, in which order."""

    clause: dict[str, object]
    order_by: _Text | None = None
    descending: StrictBool = False


class UserQueryRequest(_Closed):
    """POST users/query."""

    user_query: UserQuery
    best_effort_limit: Annotated[StrictInt, Field(ge=0, lt=2**31)] | None = None
    pagination_key: _Text | None = None


class AppConfigParamsModificationRequest(BaseModel):
    """PATCH configuration/parameters: any settings by name."""

    model_config = ConfigDict(extra="allow")

    @property
    def parameters(self) -> dict[str, object]:
        """The settings by name."""
        return dict(self.model_extra or {})
