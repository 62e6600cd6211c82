"""Which e-mail address does a user have? Stored and verified at once, so there is never a code (design 5)."""

from flask import Response

from portal.api import answers, auth, body
from portal.api.operations import Who, operation, vendor
from portal.api.payloads import AddressVerificationRequest, EmailAddressModificationRequest
from portal.api.shapes import EmailAddressAnswer, VerificationCode, VerificationStatus
from portal.database import reading, transaction
from portal.errors import CodeNotFound, NotFound, NothingToVerify, Unauthorized
from portal.services import users
from portal.services.context import Context

_RULE = "/apps/<app_id>/users/<user>/email-address"
_READ = "EmailAddressRetrievalResponse"


@operation("GET", _RULE, auth=Who.ANY_USER, produces={(200, vendor(_READ)): EmailAddressAnswer})
def show(app_id: str, user: str) -> Response:
    """The e-mail address; it is always verified."""
    ctx = auth.enter(reading(), app_id)
    found = users.get(ctx, auth.reach_to_read(ctx, user))
    if found.email_address is None:
        raise NotFound("e-mail address", "This user has no e-mail address.", user_id=found.id)
    return answers.write({"emailAddress": found.email_address, "verified": True}, _READ)


@operation(
    "PUT",
    _RULE,
    auth=Who.USER,
    consumes={vendor("EmailAddressModificationRequest"): EmailAddressModificationRequest},
    produces={(204, ""): None},
)
def change(app_id: str, user: str) -> Response:
    """Changes the e-mail address at once."""
    payload = body.read(EmailAddressModificationRequest)
    with transaction() as session:
        ctx = auth.enter(session, app_id)
        if payload.verified and not ctx.caller.is_admin:
            raise Unauthorized("Only an administrator may mark an address as verified.")
        users.change_email(ctx, auth.reach(ctx, user), payload.email_address)
    return answers.nothing()


@operation(
    "POST",
    f"{_RULE}/verify",
    auth=Who.USER,
    consumes={vendor("AddressVerificationRequest"): AddressVerificationRequest},
    produces={(200, vendor("AddressVerificationResponse")): VerificationStatus},
)
def verify(app_id: str, user: str) -> Response:
    """Refused: an e-mail address is verified already."""
    body.read(AddressVerificationRequest)
    raise _nothing_to_verify(auth.enter(reading(), app_id), user)


@operation("POST", f"{_RULE}/resend-verification", auth=Who.USER, produces={(204, ""): None})
def resend(app_id: str, user: str) -> Response:
    """Refused: an e-mail address is verified already."""
    raise _nothing_to_verify(auth.enter(reading(), app_id), user)


@operation(
    "GET",
    f"{_RULE}/verification-code",
    auth=Who.ADMIN,
    produces={(200, vendor("VerificationCodeRetrievalResponse")): VerificationCode},
)
def read_code(app_id: str, user: str) -> Response:
    """Refused: an e-mail address has no code."""
    ctx = auth.enter(reading(), app_id)
    raise CodeNotFound("There is no code for an e-mail address.", user_id=auth.reach(ctx, user))


def _nothing_to_verify(ctx: Context, user: str) -> NothingToVerify:
    user_id = auth.reach(ctx, user)
    return NothingToVerify("This e-mail address is verified.", user_id=user_id, account_type="EMAIL")
