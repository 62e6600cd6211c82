"""Which SMS wait, went out or failed? Puts messages down, and shows them."""

from dataclasses import dataclass

from sqlalchemy import Select, bindparam, insert, select

from portal.core import code, locales, message_text, phone_number, wordings
from portal.core.lifecycle import State
from portal.models import (
    Message,
    MessagePurpose,
    MessageState,
    SmsTemplateVersion,
    Verification,
    random_id,
    table,
)
from portal.services import app_settings, winners
from portal.services.app_settings import AppSettings
from portal.services.context import Context
from portal.services.winners import Winner

BELL = "ring_outbox_bell"

_MESSAGE = table(Message)
_INSERT = insert(_MESSAGE)
_TOLD = (
    select(_MESSAGE.c.serial)
    .where(_MESSAGE.c.app_id == bindparam("app"), _MESSAGE.c.user_id == bindparam("user"))
    .where(_MESSAGE.c.purpose == MessagePurpose.CHANGE_NOTICE, _MESSAGE.c.created_at > bindparam("since"))
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message goes to, and in which language."""

    user_id: str
    phone_number: str
    locale: str | None


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """One SMS on the simulated phone. `text` is made for this look and kept nowhere; a test has no user."""

    serial: int
    user_id: str | None
    phone_number: str
    locale: str
    text: str
    code_is_live: bool
    sent_at: int


def put_down_verification(ctx: Context, app: AppSettings, to: Recipient, verification_id: str) -> str:
    """Puts the SMS with a verification's code into the outbox; returns the message's id.

    It keeps the wording of this moment; the code is derived when it is sent.
    """
    wording = winners.winner(ctx, app, to.locale)
    return _put_down(
        ctx,
        to,
        purpose=MessagePurpose.VERIFICATION,
        locale=wording.locale,
        sms_template_version_id=wording.id,
        values=message_text.values_for(app.name, app.code_life_s, app_settings.autofill_of(app)),
        verification_id=verification_id,
    )


def put_down_notice(ctx: Context, app: AppSettings, to: Recipient) -> str:
    """Puts the notice of a change, which goes to the number in force, into the outbox (OTP-17)."""
    return _put_down(
        ctx,
        to,
        purpose=MessagePurpose.CHANGE_NOTICE,
        locale=to.locale or app.default_locale,
        sms_template_version_id=None,
        values={"app_name": app.name},
        verification_id=None,
    )


def put_down_test(
    ctx: Context, app: AppSettings, account_id: str, to: str, wording: Winner, provider_id: str | None = None
) -> str:
    """Puts a test into the outbox: a wording in force with the app's values and a made-up code (TPL-05).

    Returns the message's id. It counts toward the tests of `account_id` and toward no number's limits.
    `provider_id` is the carrier that it goes by, where one is to be tried.
    """
    by = {"provider_id": provider_id} if provider_id else {}
    values = message_text.values_for(app.name, app.code_life_s, app_settings.autofill_of(app))
    return _put_down_for_account(
        ctx,
        account_id,
        to,
        purpose=MessagePurpose.TEST,
        locale=wording.locale,
        sms_template_version_id=wording.id,
        values=values | {"code_length": str(app.code_length)} | by,
    )


def put_down_confirmation(
    ctx: Context, app: AppSettings, account_id: str, to: str, confirmation_id: str
) -> str:
    """Puts the SMS with the code for an account's own number into the outbox; returns the message's id."""
    version = str(ctx.keys.code_version)
    return _put_down_for_account(
        ctx,
        account_id,
        to,
        purpose=MessagePurpose.OWN_NUMBER,
        locale=locales.LAST_RESORT,
        sms_template_version_id=None,
        values={"app_name": app.name, "id": confirmation_id, "key_version": version},
    )


def was_told_since(ctx: Context, user_id: str, since: int) -> bool:
    """Whether a user's old number got a notice of change after `since` (Unix ms)."""
    wanted = {"app": ctx.app_id, "user": user_id, "since": since}
    return ctx.scalar(_TOLD, wanted) is not None


def inbox(
    ctx: Context, before: int | None = None, after: int | None = None, limit: int = 30
) -> list[InboxMessage]:
    """What the simulated phone of a sandbox shows, newest first.

    `before` and `after` are serials, for older and newer pages. Texts are rendered from the very version,
    values and code that were sent.
    """
    wanted = _shown_in_inbox(ctx.app_id).order_by(Message.serial.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Message.serial < before)
    if after is not None:
        wanted = wanted.where(Message.serial > after)
    return [_as_inbox_message(ctx, *row) for row in ctx.session.execute(wanted)]


def _put_down(ctx: Context, to: Recipient, **columns: object) -> str:
    return _insert(ctx, {"user_id": to.user_id, "phone_number": to.phone_number} | columns)


def _put_down_for_account(ctx: Context, account_id: str, to: str, **columns: object) -> str:
    return _insert(ctx, {"account_id": account_id, "phone_number": to} | columns)


def _insert(ctx: Context, columns: dict[str, object]) -> str:
    row = {
        "id": random_id(),
        "app_id": ctx.app_id,
        "state": MessageState.QUEUED,
        "attempts": 0,
        "unsure_attempts": 0,
        "country": phone_number.region(str(columns["phone_number"])),
        "due_at": ctx.now,
        "created_at": ctx.now,
    }
    ctx.add(_INSERT, row | columns)
    ctx.session.info[BELL] = True
    return str(row["id"])


def _shown_in_inbox(app_id: str) -> Select[Message, Verification, str]:
    return (
        select(Message, Verification, SmsTemplateVersion.body)
        .outerjoin(
            Verification,
            (Verification.app_id == Message.app_id) & (Verification.id == Message.verification_id),
        )
        .outerjoin(SmsTemplateVersion, SmsTemplateVersion.id == Message.sms_template_version_id)
        .where(Message.app_id == app_id, Message.provider == "inbox")
        .where(Message.state.in_([MessageState.SENT, MessageState.DELIVERED]))
        # Whoever reads this phone has not shown that an account's own one is theirs.
        .where(Message.purpose != MessagePurpose.OWN_NUMBER)
    )


def _as_inbox_message(
    ctx: Context, message: Message, verification: Verification | None, body: str | None
) -> InboxMessage:
    digits, live = _code_in(ctx, message, verification)
    wording = body or wordings.notice_for(message.locale)
    text = message_text.render(wording, message.values, digits)
    at = message.sent_at or message.created_at
    return InboxMessage(message.serial, message.user_id, message.phone_number, message.locale, text, live, at)


def _code_in(ctx: Context, message: Message, verification: Verification | None) -> tuple[str | None, bool]:
    """The code that a message holds, None for a notice, and whether it would be accepted now."""
    if message.purpose == MessagePurpose.TEST:
        return code.FAKE[: int(message.values["code_length"])], False
    if verification is None or message.issue is None:
        return None, False
    key = ctx.keys.codes[verification.key_version]
    digits = code.derive(key, verification.id, message.issue, verification.code_length)
    live = (
        verification.state == State.OPEN
        and verification.issue == message.issue
        and verification.code_expires_at > ctx.now
    )
    return digits, live
