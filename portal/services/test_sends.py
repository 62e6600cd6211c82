"""How does an owner see an SMS template on a phone? Sends tests, and tells how they fare (TPL-05)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core import example_numbers
from portal.core.phone_number import PhoneNumber
from portal.errors import BadInput, NotFound
from portal.models import App, AppMode, AuditAction, Message, MessagePurpose
from portal.services import (
    app_settings,
    audit,
    countries,
    outbox,
    own_numbers,
    providers,
    test_allowance,
    winners,
)
from portal.services.app_settings import AppSettings
from portal.services.context import Context
from portal.services.winners import Winner


def send(ctx: Context, app: App, account_id: str, locale: str, provider_id: str | None = None) -> str:
    """Puts a test of the wording in force for `locale` down, with a made-up code; returns the message's id.

    A sandbox app sends to its inbox, a live app to the account's own confirmed number and nowhere else; there
    `provider_id` names the carrier to try, which takes it also while it is off or paused.
    Raises NotFound for a locale without a template and for no carrier of this app, BadInput for a number that
    this app may not text and for an account without one, TooSoon with the time of the next test when five
    were sent in 24 hours.
    """
    settings = app_settings.load(ctx)
    wording = _in_force(ctx, settings, locale)
    carrier = providers.get(ctx.session, ctx.app_id, provider_id) if provider_id else None
    # The account is locked before its number is read, so that a number just given up gets nothing.
    test_allowance.take(ctx, account_id)
    to = _recipient(ctx, app, account_id)
    countries.refuse_unless_still_textable(settings, to)
    message_id = outbox.put_down_test(ctx, settings, account_id, to, wording, provider_id)
    tried = {"provider": carrier.label} if carrier is not None else {}
    audit.record(ctx, AuditAction.TEST_SENT, details={"locale": wording.locale} | tried)
    return message_id


def latest(
    session: Session, app_id: str, account_id: str, purpose: MessagePurpose, locale: str | None = None
) -> Message | None:
    """The newest message of a purpose that an account got from an app, in one locale or in any."""
    wanted = select(Message).where(
        Message.account_id == account_id, Message.app_id == app_id, Message.purpose == purpose
    )
    if locale is not None:
        wanted = wanted.where(Message.locale == locale)
    return session.scalar(wanted.order_by(Message.created_at.desc(), Message.serial.desc()).limit(1))


def sandbox_number(app: App) -> PhoneNumber:
    """The number that stands for the owner on the sandbox phone. Raises BadInput where there is none."""
    number = example_numbers.mobile(app.home_country)
    if number is None:
        raise BadInput(countries.FIELD, f"Nothing was sent: {app.home_country} has no mobile numbers.")
    return number


def _in_force(ctx: Context, settings: AppSettings, locale: str) -> Winner:
    wording = winners.winner(ctx, settings, locale)
    if wording.locale != locale:
        raise NotFound("sms_template", f"There is no SMS template for {locale}.")
    return wording


def _recipient(ctx: Context, app: App, account_id: str) -> str:
    if app.mode == AppMode.SANDBOX:
        return sandbox_number(app).e164
    own = own_numbers.of(ctx.session, account_id).confirmed
    if own is None:
        raise BadInput(countries.FIELD, "Nothing was sent: confirm your own number first.")
    return own
