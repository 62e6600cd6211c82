"""Who are an app's users? Register, find, update, disable, delete."""

from sqlalchemy import select
from sqlalchemy import update as update_rows
from sqlalchemy.exc import IntegrityError

from portal.core import addresses
from portal.core.addresses import AddressKind
from portal.core.lifecycle import Purpose
from portal.core.phone_number import PhoneNumber
from portal.errors import AlreadyExists, BadInput, NotFound, Unauthorized, WrongPassword
from portal.models import AuditAction, User
from portal.services import (
    app_settings,
    audit,
    erasures,
    number_holders,
    phone_number_limits,
    phone_numbers,
    tokens,
    verifications,
)
from portal.services.context import Context
from portal.services.outbox import Recipient
from portal.services.user_records import Registration, UserChanges, new_user_id


def register(ctx: Context, registration: Registration, password_hash: str | None) -> User:
    """A new user; with verification on, its number is unverified and its code is put down to be sent.

    Raises BadInput (a bad number; a phone-only sign-up that could never log in, contract a.4), AlreadyExists
    and TooSoon. `password_hash` was made before the transaction; None makes a pseudo user.
    """
    app = app_settings.load(ctx)
    number = _number_of(registration)
    vouched = bool(registration.phone_number_verified)
    if vouched and not ctx.caller.is_admin:
        raise Unauthorized("Only an administrator may mark a number as verified.")
    needs_code = number is not None and app.phone_number_verification_required and not vouched
    _refuse_dead_end(registration, password_hash, needs_code)
    user = _new_user(ctx, registration, password_hash)
    if number is not None and needs_code:
        user.phone_number = number.e164
    elif number is not None:
        _set_verified(ctx, user, number)
    ctx.session.add(user)
    _flush(ctx, user)
    if number is not None and needs_code:
        verifications.start(ctx, app, Recipient(user.id, number.e164, user.locale), Purpose.REGISTER)
    audit.record(ctx, AuditAction.USER_REGISTERED, user.id)
    return user


def get(ctx: Context, user_id: str) -> User:
    """The user with this ID. Raises NotFound."""
    user = ctx.session.get(User, (ctx.app_id, user_id), populate_existing=True)
    if user is None:
        raise _not_found("userID", user_id)
    return user


def find(ctx: Context, address: str) -> User:
    """The user that a path names: an ID, LOGIN_NAME:, EMAIL: or PHONE: (contract b.1).

    Only verified numbers are found (contract a.3). Raises NotFound.
    """
    named = addresses.parse(address)
    if named.kind is AddressKind.USER_ID:
        return get(ctx, named.value)
    if named.kind is AddressKind.LOGIN_NAME:
        condition, name = User.login_name == named.value, "loginName"
    elif named.kind is AddressKind.EMAIL:
        condition, name = User.email_address == named.value.lower(), "emailAddress"
    else:
        number = addresses.phone_number_of(named.value)
        condition = (User.phone_number == (number or "")) & User.phone_number_verified.is_(True)
        name = "phoneNumber"
    user = ctx.session.scalar(select(User).where(User.app_id == ctx.app_id, condition))
    if user is None:
        raise _not_found(name, named.value)
    return user


def update(ctx: Context, user_id: str, changes: UserChanges, password_hash: str | None = None) -> User:
    """Applies an update; a new phone number starts the same flow as PUT phone-number.

    `password_hash` turns a pseudo user into a normal one, and is refused for others (contract b.2). Raises
    NotFound, BadInput, AlreadyExists, TooSoon.
    """
    if changes.phone_number is not None:
        _change_number(ctx, user_id, changes)
    user = _held(ctx, user_id)
    if password_hash is not None:
        _give_password(user, changes, password_hash)
    for name in ("login_name", "email_address", "display_name", "country", "locale"):
        if getattr(changes, name) is not None:
            setattr(user, name, getattr(changes, name))
    user.custom_fields = dict(changes.custom_fields)
    user.modified_at = ctx.now
    _flush(ctx, user)
    audit.record(ctx, AuditAction.USER_UPDATED, user_id)
    return user


def change_email(ctx: Context, user_id: str, email_address: str) -> None:
    """Sets the e-mail address, verified at once: e-mail verification stays off (design 5)."""
    user = _held(ctx, user_id)
    user.email_address, user.modified_at = email_address, ctx.now
    _flush(ctx, user)
    audit.record(ctx, AuditAction.USER_UPDATED, user_id)


def delete(ctx: Context, user_id: str) -> None:
    """Removes a user with everything that is theirs (PII-05). Raises NotFound.

    The limits of their numbers stay for a day, because users delete themselves as often as they like.
    """
    erasures.erase_user(ctx, user_id, action=AuditAction.USER_DELETED, forgets_limits=False)


def set_disabled(
    ctx: Context, user_id: str, disabled: bool, details: audit.Details = None, reason: str | None = None
) -> None:
    """Suspends or readmits a user; suspending ends its tokens (contract a.3). Raises NotFound."""
    changed = ctx.session.scalar(
        update_rows(User)
        .where(User.app_id == ctx.app_id, User.id == user_id)
        .values(disabled=disabled, modified_at=ctx.now)
        .returning(User.id)
    )
    if changed is None:
        raise _not_found("userID", user_id)
    if disabled:
        tokens.end_all_of_user(ctx, user_id)
    action = AuditAction.USER_DISABLED if disabled else AuditAction.USER_ENABLED
    audit.record(ctx, action, user_id, details, reason)


def change_password(ctx: Context, user_id: str, old_hash: str, new_hash: str) -> None:
    """Replaces a password that was checked against `old_hash`; all the user's tokens end (contract a.9).

    Raises WrongPassword when the password was changed in between.
    """
    changed = ctx.session.scalar(
        update_rows(User)
        .where(User.app_id == ctx.app_id, User.id == user_id, User.password_hash == old_hash)
        .values(password_hash=new_hash, modified_at=ctx.now)
        .returning(User.id)
    )
    if changed is None:
        raise WrongPassword("The old password is wrong.", user_id=user_id)
    tokens.end_all_of_user(ctx, user_id)
    audit.record(ctx, AuditAction.USER_PASSWORD_CHANGED, user_id)


def _change_number(ctx: Context, user_id: str, changes: UserChanges) -> None:
    # The number's lock comes before the user's. It is read by the country that the user will have.
    number, country, locale = changes.phone_number or "", changes.country, changes.locale
    phone_numbers.change(ctx, user_id, number, country=country, locale=locale)


def _held(ctx: Context, user_id: str) -> User:
    """The user as it is now; who else changes or deletes it waits. Raises NotFound."""
    key = (ctx.app_id, user_id)
    user = ctx.session.get(User, key, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise _not_found("userID", user_id)
    return user


def _number_of(registration: Registration) -> PhoneNumber | None:
    if registration.phone_number is None:
        return None
    return phone_numbers.read(registration.phone_number, registration.country)


def _refuse_dead_end(registration: Registration, password_hash: str | None, needs_code: bool) -> None:
    others = registration.login_name or registration.email_address
    if needs_code and not others and not registration.authorizes:
        raise BadInput(
            "phoneNumber",
            "This app verifies phone numbers: add a loginName or an emailAddress to log in and verify with.",
        )
    if password_hash is None and (others or registration.phone_number):
        raise BadInput("password", "A user with a login name, an address or a number needs a password.")


def _new_user(ctx: Context, registration: Registration, password_hash: str | None) -> User:
    return User(
        app_id=ctx.app_id,
        id=new_user_id(),
        login_name=registration.login_name,
        email_address=registration.email_address,
        phone_number_verified=False,
        password_hash=password_hash,
        display_name=registration.display_name,
        country=registration.country,
        locale=registration.locale,
        disabled=False,
        custom_fields=registration.custom_fields,
        created_at=ctx.now,
        modified_at=ctx.now,
    )


def _set_verified(ctx: Context, user: User, number: PhoneNumber) -> None:
    phone_number_limits.lock(ctx, number.e164)
    number_holders.claim(ctx, number.e164, user.id, is_proven=ctx.caller.is_admin)
    for name, value in number_holders.in_force(ctx, number.e164).items():
        setattr(user, name, value)


def _give_password(user: User, changes: UserChanges, password_hash: str) -> None:
    if user.password_hash is not None:
        raise BadInput("password", "This user has a password already. Use the password change for a new one.")
    if not (changes.login_name or changes.email_address or changes.phone_number):
        raise BadInput(
            "password", "Give a loginName, an emailAddress or a phoneNumber together with a password."
        )
    user.password_hash = password_hash


def _flush(ctx: Context, user: User) -> None:
    """Writes the user; the unique constraints decide about names and addresses, whoever asks at once."""
    # Read before the flush: a failed one expires the row, and asking for it again would fail in turn.
    unique = (
        ("login_name", "loginName", user.login_name),
        ("email_address", "emailAddress", user.email_address),
        ("phone_number", "phoneNumber", user.phone_number),
    )
    try:
        ctx.session.flush()
    except IntegrityError as error:
        # The first line names the constraint; PostgreSQL's next ones repeat what was typed.
        text = str(error.orig).splitlines()[0]
        for column, field_name, value in unique:
            if column in text:
                raise AlreadyExists(field_name, value or "") from error
        raise


def _not_found(field_name: str, value: str) -> NotFound:
    return NotFound("user", "There is no such user.", field=field_name, value=value)
