"""What does each answer look like? The shapes that OpenAPI shows; records.py writes the values."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class UserRecord(BaseModel):
    """A user (contract a.1), custom fields beside Kii's. A field that the user does not have is absent."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    user_id: str = Field(alias="userID")
    login_name: str = Field(default="", alias="loginName")
    display_name: str = Field(default="", alias="displayName")
    country: str = ""
    locale: str = ""
    email_address: str = Field(default="", alias="emailAddress")
    email_address_verified: bool = Field(default=True, alias="emailAddressVerified")
    phone_number: str = Field(default="", alias="phoneNumber")
    phone_number_verified: bool = Field(default=True, alias="phoneNumberVerified")
    phone_number_pending: str = Field(default="", alias="_phoneNumberPending")
    has_password: bool = Field(default=True, alias="_hasPassword")
    disabled: bool = Field(default=False, alias="_disabled")
    created_at: int = Field(default=0, alias="createdAt")
    modified_at: int = Field(default=0, alias="modifiedAt")
    access_token: str = Field(default="", alias="_accessToken")
    refresh_token: str = Field(default="", alias="_refreshToken")


class TokenAnswer(BaseModel):
    """A fresh token; `expires_in` is in seconds."""

    id: str
    access_token: str
    expires_in: int
    token_type: str
    refresh_token: str = ""


class Modified(_Shape):
    """When a user was changed (ms)."""

    modified_at: int


class PhoneNumberAnswer(_Shape):
    """The number in force."""

    phone_number: str
    verified: bool


class EmailAddressAnswer(_Shape):
    """The e-mail address."""

    email_address: str
    verified: bool


class VerificationStatus(_Shape):
    """What became of a code."""

    verification_status: str


class VerificationCode(_Shape):
    """A code, for the administrator of a sandbox app."""

    verification_code: str


class Status(_Shape):
    """Whether a user is suspended."""

    disabled: bool


class UserQueryAnswer(_Shape):
    """One page of users; the key is absent on the last one."""

    results: list[UserRecord]
    next_pagination_key: str = ""


class Parameters(BaseModel):
    """Settings by name."""

    model_config = ConfigDict(extra="allow")


class RefusalBody(_Shape):
    """Why a request was refused. The code is absent with 429."""

    model_config = ConfigDict(extra="allow")

    error_code: str = ""
    message: str
