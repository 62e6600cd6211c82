"""Who are an app's users? Sign-up, reading, changing and deleting one user."""

from flask import Response

from portal.api import answers, auth, body, records, sources
from portal.api.operations import Who, operation, vendor
from portal.api.payloads import (
    RegistrationAndAuthorizationRequest,
    RegistrationRequest,
    UserUpdateRequest,
)
from portal.api.refusals import NoAccountProvided
from portal.api.repeats import keep, once
from portal.api.shapes import Modified, UserRecord
from portal.database import reading, transaction
from portal.models import ActorKind
from portal.services import apps, tokens, users
from portal.services.user_records import Registration, UserChanges

_RULE = "/apps/<app_id>/users/<user>"
_REGISTERED = "RegistrationResponse"
_READ = "UserDataRetrievalResponse"
_UPDATED = "UserUpdateResponse"


@operation(
    "POST",
    "/apps/<app_id>/users",
    auth=Who.APP_OR_ADMIN,
    consumes={
        vendor("RegistrationRequest"): RegistrationRequest,
        vendor("RegistrationAndAuthorizationRequest"): RegistrationAndAuthorizationRequest,
    },
    produces={(201, vendor(_REGISTERED)): UserRecord},
    takes_key=True,
)
@once
def register(app_id: str) -> Response:
    """Registers a user; the code is sent if the app verifies phone numbers."""
    payload = body.read(RegistrationRequest)
    authorizes = isinstance(payload, RegistrationAndAuthorizationRequest)
    registration = _registration(payload, authorizes)
    auth.admit(app_id)
    _refuse_nameless(payload, authorizes)
    sources.spend_send()
    password_hash = _hash(payload.password)
    with transaction() as session:
        ctx = auth.again(session)
        user = users.register(ctx, registration, password_hash)
        record = records.full(user, ctx.now)
        if authorizes:
            issued = tokens.issue_to_user(ctx, user.id)
            record |= records.tokens(issued)
        answer = answers.write(record, _REGISTERED, 201)
        answer.headers["Location"] = f"/api/apps/{app_id}/users/{user.id}"
        return keep(ctx, answer, user.id)


@operation("GET", _RULE, auth=Who.ANY_USER, produces={(200, vendor(_READ)): UserRecord})
def show(app_id: str, user: str) -> Response:
    """A user's record; what others see of it is a setting of the app."""
    ctx = auth.enter(reading(), app_id)
    found = users.get(ctx, auth.look_up(ctx, user))
    is_other = ctx.caller.kind is ActorKind.USER and found.id != ctx.caller.id
    if is_other and not apps.get(ctx.session, app_id).expose_full_user_data_to_others:
        return answers.write(records.limited(found), _READ)
    return answers.write(records.full(found, ctx.now), _READ)


@operation(
    "POST",
    _RULE,
    auth=Who.USER,
    consumes={vendor("UserUpdateRequest"): UserUpdateRequest},
    produces={(200, vendor(_UPDATED)): Modified},
)
def update(app_id: str, user: str) -> Response:
    """Changes a user: named fields change, custom fields are replaced as a whole."""
    payload = body.read(UserUpdateRequest)
    changes = _changes(payload)
    if payload.password is not None:
        auth.admit(app_id)
    password_hash = _hash(payload.password)
    with transaction() as session:
        ctx = auth.enter(session, app_id)
        user_id = auth.reach(ctx, user)
        if changes.phone_number is not None:
            sources.spend_send()
        changed = users.update(ctx, user_id, changes, password_hash)
    return answers.write({"modifiedAt": changed.modified_at}, _UPDATED)


@operation("DELETE", _RULE, auth=Who.USER, produces={(204, ""): None})
def delete(app_id: str, user: str) -> Response:
    """Deletes a user."""
    with transaction() as session:
        ctx = auth.enter(session, app_id)
        users.delete(ctx, auth.reach(ctx, user))
    return answers.nothing()


def _refuse_nameless(payload: RegistrationRequest, authorizes: bool) -> None:
    # Only the authorizing type, and only without a password, makes a pseudo user (contract b.2).
    if payload.login_name or payload.email_address or payload.phone_number:
        return
    if payload.password is not None or not authorizes:
        raise NoAccountProvided("Give a loginName, an emailAddress or a phoneNumber.")


def _registration(payload: RegistrationRequest, authorizes: bool) -> Registration:
    return Registration(
        login_name=payload.login_name,
        email_address=payload.email_address,
        phone_number=payload.phone_number,
        phone_number_verified=payload.phone_number_verified,
        display_name=payload.display_name,
        country=payload.country,
        locale=payload.locale,
        custom_fields=payload.custom_fields,
        authorizes=authorizes,
    )


def _changes(payload: UserUpdateRequest) -> UserChanges:
    return UserChanges(
        login_name=payload.login_name,
        email_address=payload.email_address,
        phone_number=payload.phone_number,
        display_name=payload.display_name,
        country=payload.country,
        locale=payload.locale,
        custom_fields=payload.custom_fields,
    )


def _hash(password: str | None) -> str | None:
    return None if password is None else auth.parts().hasher.hash(password)
