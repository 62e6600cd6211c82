"""Which phone number is an account's own? Asked for, confirmed by a code, forgotten (TPL-05).

Tests of live apps go to this number and to no other. Nothing here touches what apps know about numbers.
"""

from dataclasses import dataclass
from typing import Final, NoReturn

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm import Session

from portal import clock
from portal.core import code, phone_number
from portal.core.phone_number import PhoneNumberError
from portal.errors import BadInput, CodeExpired, NothingToVerify, NotSupported, WrongCode
from portal.models import Account, App, AppMode, AuditAction, Message, MessagePurpose, random_id, table
from portal.services import app_settings, audit, countries, fences, outbox, test_allowance
from portal.services.context import Context

CODE_LIFE: Final = 10 * clock.MINUTE
GUESSES_ALLOWED: Final = 5

_ACCOUNT, _MESSAGE = table(Account), table(Message)
# The code that was compared is still the one in force, and takes another guess.
_IS_STILL_LIVE = and_(
    _ACCOUNT.c.id == bindparam("the_account"),
    _ACCOUNT.c.confirmation_id == bindparam("the_confirmation"),
    _ACCOUNT.c.confirmation_guesses < GUESSES_ALLOWED,
    _ACCOUNT.c.confirmation_expires_at > bindparam("the_now"),
)
_NOTHING_WAITS: Final[dict[str, object]] = {
    "confirmation_id": None,
    "confirmation_number": None,
    "confirmation_expires_at": None,
    "confirmation_guesses": 0,
}
_SPEND = (
    update(_ACCOUNT)
    .where(_IS_STILL_LIVE)
    .values(
        phone_number=_ACCOUNT.c.confirmation_number,
        phone_number_confirmed_at=bindparam("the_now"),
        **_NOTHING_WAITS,
    )
    .returning(_ACCOUNT.c.id)
)
_COUNT_GUESS = (
    update(_ACCOUNT)
    .where(_IS_STILL_LIVE)
    .values(confirmation_guesses=_ACCOUNT.c.confirmation_guesses + 1)
    .returning(_ACCOUNT.c.confirmation_guesses)
)
_OWN = select(
    _ACCOUNT.c.phone_number,
    _ACCOUNT.c.confirmation_id,
    _ACCOUNT.c.confirmation_number,
    _ACCOUNT.c.confirmation_expires_at,
    _ACCOUNT.c.confirmation_guesses,
).where(_ACCOUNT.c.id == bindparam("the_account"))
# The newest such message is the one that the confirmation in force was made for.
_VALUES_SENT = (
    select(_MESSAGE.c["values"])
    .where(_MESSAGE.c.account_id == bindparam("the_account"))
    .where(_MESSAGE.c.purpose == MessagePurpose.OWN_NUMBER)
    .order_by(_MESSAGE.c.serial.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """An account's own number as its row has it. Times in Unix ms."""

    confirmed: str | None
    confirmation_id: str | None
    waiting: str | None
    expires_at: int | None
    guesses: int

    def is_waiting(self, now: int) -> bool:
        """Whether a code for a number would be accepted at `now`."""
        return self.expires_at is not None and now < self.expires_at and self.guesses < GUESSES_ALLOWED


def of(session: Session, account_id: str) -> OwnNumber:
    """What an account has for a number of its own."""
    return OwnNumber(*session.execute(_OWN, {"the_account": account_id}).one())


def ask(ctx: Context, app: App, account_id: str, text: str) -> None:
    """Sends a code to a number that somebody says is theirs; an older code ends.

    `text` is international, or national in the app's home country. Raises BadInput for what this app may not
    text, TooSoon when the day's tests are used up, NotSupported in a sandbox, whose phone everybody reads.
    """
    if app.mode != AppMode.LIVE:
        raise NotSupported("A sandbox app sends its tests to its inbox, so it needs no number of yours.")
    settings = app_settings.load(ctx)
    try:
        number = phone_number.parse(text, app.home_country)
    except PhoneNumberError as error:
        raise BadInput(countries.FIELD, error.reason.sentence) from error
    countries.refuse_unless_textable(settings, number)
    test_allowance.take(ctx, account_id)
    confirmation_id = random_id()
    waiting = {
        "confirmation_id": confirmation_id,
        "confirmation_number": number.e164,
        "confirmation_expires_at": ctx.now + CODE_LIFE,
        "confirmation_guesses": 0,
    }
    ctx.session.execute(update(_ACCOUNT).where(_ACCOUNT.c.id == account_id).values(waiting))
    outbox.put_down_confirmation(ctx, settings, account_id, number.e164, confirmation_id)
    audit.record(ctx, AuditAction.OWN_NUMBER_ASKED)


def ask_again(ctx: Context, app: App, account_id: str) -> None:
    """Sends a new code to the number that waits for one. Raises NothingToVerify, and what `ask` raises."""
    own = of(ctx.session, account_id)
    if own.waiting is None:
        raise _nothing()
    ask(ctx, app, account_id, own.waiting)


def confirm(ctx: Context, account_id: str, typed: str) -> None:
    """Checks the code that was typed: right, and the number is the account's own.

    Raises WrongCode (counted and kept, if it could be a code at all), CodeExpired after ten minutes or five
    guesses, NothingToVerify.
    """
    own = of(ctx.session, account_id)
    still: dict[str, object] = {
        "the_account": account_id,
        "the_confirmation": own.confirmation_id,
        "the_now": ctx.now,
    }
    digits = _digits(ctx, account_id, own)
    if not code.has_shape(typed, len(digits)):
        raise WrongCode(f"A code has {len(digits)} digits. This one was not counted; type it again.")
    if not code.matches(digits, typed):
        _count_wrong_guess(ctx, account_id, still)
    if ctx.scalar(_SPEND, still) is None:
        _refuse_overtaken(ctx, account_id)
    audit.record(ctx, AuditAction.OWN_NUMBER_CONFIRMED)


def forget(ctx: Context, account_id: str) -> None:
    """Takes an account's number away, the one that waits too."""
    gone = _NOTHING_WAITS | {"phone_number": None, "phone_number_confirmed_at": None}
    ctx.session.execute(update(_ACCOUNT).where(_ACCOUNT.c.id == account_id).values(gone))
    audit.record(ctx, AuditAction.OWN_NUMBER_FORGOTTEN)


def _digits(ctx: Context, account_id: str, own: OwnNumber) -> str:
    """The code in force, as the dispatch derives it. Raises when there is none."""
    _refuse_dead(own, ctx.now)
    # It may have been asked for in another of the account's apps.
    with fences.lifted(ctx.session):
        sent = ctx.scalar(_VALUES_SENT, {"the_account": account_id}) or {}
    if sent.get("id") != own.confirmation_id:
        raise _nothing()
    return code.derive(ctx.keys.codes[int(sent["key_version"])], sent["id"], 1, code.USUAL)


def _count_wrong_guess(ctx: Context, account_id: str, still: dict[str, object]) -> NoReturn:
    guesses = ctx.scalar(_COUNT_GUESS, still)
    if guesses is None:
        _refuse_overtaken(ctx, account_id)
    if guesses >= GUESSES_ALLOWED:
        raise WrongCode("The code is wrong, for the fifth time. Ask for a new one.")
    raise WrongCode("The code is wrong. Read it again in the newest SMS.")


def _refuse_overtaken(ctx: Context, account_id: str) -> NoReturn:
    """Another request was first: refuses by what it left behind."""
    _refuse_dead(of(ctx.session, account_id), ctx.now)
    raise CodeExpired("The code was replaced. Type the one in the newest SMS.")


def _refuse_dead(own: OwnNumber, now: int) -> None:
    if own.waiting is None:
        raise _nothing()
    if own.guesses >= GUESSES_ALLOWED:
        raise CodeExpired("Too many wrong codes. Ask for a new one.")
    if not own.is_waiting(now):
        raise CodeExpired("The code is too old. Ask for a new one.")


def _nothing() -> NothingToVerify:
    return NothingToVerify("No number of yours waits for a code. Write your number first.")
