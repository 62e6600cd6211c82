"""Whose passkey signed this? WebAuthn, checked by its library; the rows and what counts as used are ours."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.errors import BadInput, NotFound
from portal.models import Account, AuditAction, Passkey
from portal.services import audit, second_factors
from portal.services.context import Context

MOST = 20
LONGEST_NAME = 60
UNUSABLE = "This passkey could not be added. Try again, or use another one."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passkey is used: the host it belongs to, the page's origin, and what it had to sign."""

    host: str
    origin: str
    challenge: bytes


def options_to_add(account: Account, passkeys: list[Passkey], place: Place) -> str:
    """What a browser needs to make a passkey, as JSON. The account's other ones are not made twice."""
    options = generate_registration_options(
        rp_id=place.host,
        rp_name="Ringback",
        user_id=account.id.encode(),
        user_name=account.email,
        challenge=place.challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in passkeys],
    )
    return options_to_json(options)


def options_to_use(passkeys: list[Passkey], place: Place, *, alone: bool) -> str:
    """What a browser needs to use a passkey, as JSON: one of these, or any that it has for this host.

    `alone` asks the authenticator to know its person, as the passkey stands for the password too.
    """
    needed = UserVerificationRequirement.REQUIRED if alone else UserVerificationRequirement.PREFERRED
    options = generate_authentication_options(
        rp_id=place.host,
        challenge=place.challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in passkeys],
        user_verification=needed,
    )
    return options_to_json(options)


def add(ctx: Context, answer: str, place: Place, name: str) -> list[str]:
    """Keeps a passkey that the account of `ctx` has just made; recovery codes where it is the first factor.

    Raises BadInput (name, or passkey).
    """
    called = " ".join(name.split())
    if not called or len(called) > LONGEST_NAME or not called.isprintable():
        raise BadInput("name", f"Give it a name of {LONGEST_NAME} characters at most, such as Work laptop.")
    credential = _read(answer)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=place.challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise BadInput("passkey", UNUSABLE) from error
    _refuse_known(ctx, made.credential_id)
    told = credential.get("response", {}).get("transports", [])
    row = Passkey(
        account_id=ctx.caller.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=[each for each in told if isinstance(each, str)][:8] if isinstance(told, list) else [],
        name=called,
        created_at=ctx.now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, AuditAction.PASSKEY_ADDED, details={"passkey": called})
    return second_factors.first_codes(ctx)


def remove(ctx: Context, passkey_id: str) -> None:
    """Takes a passkey of the account of `ctx` away. Raises NotFound."""
    gone = ctx.session.scalar(
        delete(Passkey)
        .where(Passkey.account_id == ctx.caller.id, Passkey.id == passkey_id)
        .returning(Passkey.name)
        .execution_options(synchronize_session=False)
    )
    if gone is None:
        raise NotFound("passkey", "There is no such passkey.")
    audit.record(ctx, AuditAction.PASSKEY_REMOVED, details={"passkey": gone})
    second_factors.drop_codes_without_factor(ctx)


def use(ctx: Context, answer: str, place: Place, *, alone: bool) -> str | None:
    """The id of the account whose passkey signed; None for every answer that proves nothing.

    `alone` takes only an authenticator that knows its person. A count that does not grow is a copy's, and
    is refused (WebAuthn 7.2, 22).
    """
    credential = _read(answer)
    passkey = ctx.session.scalar(select(Passkey).where(Passkey.credential_id == _id_in(credential)))
    if passkey is None:
        return None
    try:
        used = verify_authentication_response(
            credential=credential,
            expected_challenge=place.challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=alone,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError):
        return None
    return ctx.session.scalar(
        update(Passkey)
        .where(Passkey.id == passkey.id, Passkey.sign_count == passkey.sign_count)
        .values(sign_count=used.new_sign_count, last_used_at=ctx.now)
        .returning(Passkey.account_id)
        .execution_options(synchronize_session=False)
    )


def owner_of(ctx: Context, answer: str) -> str | None:
    """The id of the account whose passkey an answer names, whether or not it proves anything."""
    named = Passkey.credential_id == _id_in(_read(answer))
    return ctx.session.scalar(select(Passkey.account_id).where(named))


def _refuse_known(ctx: Context, credential_id: bytes) -> None:
    if ctx.session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)) is not None:
        raise BadInput("passkey", "This passkey is added already.")
    if len(second_factors.of(ctx.session, ctx.caller.id or "").passkeys) >= MOST:
        raise BadInput("passkey", f"An account has {MOST} passkeys at most. Remove one first.")


def _read(answer: str) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _id_in(credential: dict[str, Any]) -> bytes:
    text = credential.get("rawId")
    try:
        return base64.urlsafe_b64decode(f"{text}==") if isinstance(text, str) else b""
    except ValueError:
        return b""
