"""Which number does a user have, and is it proven? The phone-number resource and its verification."""

from flask import Response

from portal.api import answers, auth, body, sources
from portal.api.operations import Who, operation, vendor
from portal.api.payloads import AddressVerificationRequest, PhoneNumberModificationRequest
from portal.api.repeats import keep, once
from portal.api.shapes import PhoneNumberAnswer, VerificationCode, VerificationStatus
from portal.database import reading, transaction
from portal.errors import NotFound
from portal.services import phone_numbers, users, verifications

_RULE = "/apps/<app_id>/users/<user>/phone-number"
_READ = "PhoneNumberRetrievalResponse"
_VERIFIED = "AddressVerificationResponse"
_CODE = "VerificationCodeRetrievalResponse"
_NEW_CODE = "ResetVerificationCodeResponse"


@operation("GET", _RULE, auth=Who.ANY_USER, produces={(200, vendor(_READ)): PhoneNumberAnswer})
def show(app_id: str, user: str) -> Response:
    """The number in force, and whether it is verified."""
    ctx = auth.enter(reading(), app_id)
    found = users.get(ctx, auth.reach_to_read(ctx, user))
    if found.phone_number is None:
        raise NotFound("phone number", "This user has no phone number.", user_id=found.id)
    return answers.write({"phoneNumber": found.phone_number, "verified": found.phone_number_verified}, _READ)


@operation(
    "PUT",
    _RULE,
    auth=Who.USER,
    consumes={vendor("PhoneNumberModificationRequest"): PhoneNumberModificationRequest},
    produces={(204, ""): None},
    takes_key=True,
)
@once
def change(app_id: str, user: str) -> Response:
    """Changes the number: it waits for its code, or takes over at once with verification off."""
    payload = body.read(PhoneNumberModificationRequest)
    with transaction() as session:
        ctx = auth.enter(session, app_id)
        user_id = auth.reach(ctx, user)
        sources.spend_send()
        phone_numbers.change(ctx, user_id, payload.phone_number, payload.verified)
        return keep(ctx, answers.nothing(), user_id)


@operation(
    "POST",
    f"{_RULE}/verify",
    auth=Who.USER,
    consumes={vendor("AddressVerificationRequest"): AddressVerificationRequest},
    produces={(200, vendor(_VERIFIED)): VerificationStatus},
)
def verify(app_id: str, user: str) -> Response:
    """Takes the code that the user got; the right one makes the waiting number theirs, verified."""
    payload = body.read(AddressVerificationRequest)
    with sources.guessing(), transaction() as session:
        ctx = auth.enter(session, app_id)
        sources.take_check()
        verifications.confirm(ctx, auth.reach(ctx, user), payload.verification_code)
    return answers.write({"verificationStatus": "VERIFIED"}, _VERIFIED)


@operation("POST", f"{_RULE}/resend-verification", auth=Who.USER, produces={(204, ""): None}, takes_key=True)
@once
def resend(app_id: str, user: str) -> Response:
    """Sends the code again: the same one while it lives, a new one afterwards."""
    with transaction() as session:
        ctx = auth.enter(session, app_id)
        user_id = auth.reach(ctx, user)
        verifications.resend(ctx, user_id)
        return keep(ctx, answers.nothing(), user_id)


@operation(
    "GET",
    f"{_RULE}/verification-code",
    auth=Who.ADMIN,
    produces={(200, vendor(_CODE)): VerificationCode},
)
def read_code(app_id: str, user: str) -> Response:
    """The live code, in a sandbox app only."""
    ctx = auth.enter(reading(), app_id)
    return answers.write({"verificationCode": verifications.read_code(ctx, auth.reach(ctx, user))}, _CODE)


@operation(
    "POST",
    f"{_RULE}/reset-verification-code",
    auth=Who.ADMIN,
    produces={(200, vendor(_NEW_CODE)): VerificationCode},
)
def reset_code(app_id: str, user: str) -> Response:
    """Replaces the live code by another one, in a sandbox app only; nothing is sent."""
    with transaction() as session:
        ctx = auth.enter(session, app_id)
        code = verifications.reset_code(ctx, auth.reach(ctx, user))
    return answers.write({"verificationCode": code}, _NEW_CODE)
