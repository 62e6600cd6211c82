"""Why did this user get no SMS? Gathers the facts, and lets core/why_no_sms.py decide."""

from portal.core import country_names, limits, phone_number, why_no_sms
from portal.core.lifecycle import State
from portal.core.limits import Refused
from portal.core.phone_number import PhoneNumber, PhoneNumberError
from portal.core.reasons import Reason
from portal.core.sms_facts import Code, Facts, RefusedSend, Sms, Stage
from portal.core.why_no_sms import Answer
from portal.models import AppMode, AuditAction, Message, MessageState
from portal.services import phone_number_limits
from portal.services.app_settings import AppSettings
from portal.services.context import Context
from portal.services.number_cards import SETTLING, Mark, NumberCard

_STAGES = {
    MessageState.QUEUED: Stage.WAITING,
    MessageState.SENDING: Stage.LEAVING,
    MessageState.SENT: Stage.SENT,
    MessageState.DELIVERED: Stage.DELIVERED,
    MessageState.FAILED: Stage.NOT_SENT,
    MessageState.EXPIRED: Stage.NOT_SENT,
    MessageState.DEAD: Stage.NOT_SENT,
}


def explain(ctx: Context, app: AppSettings, card: NumberCard) -> Answer:
    """The one answer for the user of a card. Locks nothing and changes nothing."""
    return why_no_sms.explain(gather(ctx, app, card))


def gather(ctx: Context, app: AppSettings, card: NumberCard) -> Facts:
    """What is known of the user of a card, as the rule wants it."""
    user, number = card.user, _read(card.waiting)
    settled = max((card.marks[name] for name in SETTLING if name in card.marks), key=_at, default=None)
    ran_out = user.pending_until is not None and user.pending_until <= card.now
    return Facts(
        now=card.now,
        is_sandbox=app.mode == AppMode.SANDBOX,
        is_verifying=app.phone_number_verification_required,
        is_disabled=user.disabled,
        has_number=user.phone_number is not None,
        has_lost_number=settled is not None and settled.action == AuditAction.NUMBER_LOST,
        waits=card.waiting is not None,
        country=country_names.name(number.region) if number else "",
        obstacle=_obstacle(app, card.waiting, number),
        limit=_limit(ctx, card),
        code=_code(card),
        sms=_sms(card.message),
        refused=_refused(card.marks.get(AuditAction.SEND_REFUSED)),
        settled_at=settled.at if settled else 0,
        has_lapsed=ran_out or (settled is not None and settled.action == AuditAction.NUMBER_CHANGE_LAPSED),
    )


def _at(mark: Mark) -> int:
    return mark.at


def _read(number: str | None) -> PhoneNumber | None:
    try:
        return None if number is None else phone_number.parse(number)
    except PhoneNumberError:
        # Numbering plans change; what no plan knows any more gets no SMS.
        return None


def _obstacle(app: AppSettings, waiting: str | None, number: PhoneNumber | None) -> Reason | None:
    if waiting is None:
        return None
    if number is None or phone_number.is_textable(number) is not None:
        return Reason.NOT_MOBILE
    return None if number.region in app.open_countries else Reason.COUNTRY_CLOSED


def _limit(ctx: Context, card: NumberCard) -> Refused | None:
    """What would refuse the waiting number an SMS now."""
    if card.waiting is None:
        return None
    tally = phone_number_limits.look(ctx, card.waiting)
    return limits.may_resend(card.attempt, tally, ctx.now, ctx.profile)


def _code(card: NumberCard) -> Code | None:
    verification = card.verification
    if verification is None:
        return None
    return Code(
        state=State(verification.state),
        expires_at=verification.code_expires_at,
        ended_at=verification.ended_at or 0,
        is_for_waiting_number=card.attempt is not None,
    )


def _sms(message: Message | None) -> Sms | None:
    if message is None:
        return None
    return Sms(
        stage=_STAGES[MessageState(message.state)],
        put_down_at=message.created_at,
        due_at=message.due_at,
        reason=_reason(message.reason),
        words=message.provider_words or "",
        is_in_inbox=message.is_in_inbox,
    )


def _refused(mark: Mark | None) -> RefusedSend | None:
    reason = None if mark is None else _reason(mark.details.get("reason"))
    if mark is None or reason is None:
        return None
    until, country = mark.details.get("until"), mark.details.get("country")
    return RefusedSend(
        reason=reason,
        at=mark.at,
        until=until if isinstance(until, int) else None,
        country=country_names.name(country) if isinstance(country, str) else "",
    )


def _reason(code: object) -> Reason | None:
    """A stored code as an answer; None for none, and for one that this version does not know."""
    return next((each for each in why_no_sms.ANSWERS if each.value == code), None)
