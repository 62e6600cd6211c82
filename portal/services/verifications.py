"""How is a number proven? Start, confirm, resend, reset, cancel, lapse."""

from dataclasses import dataclass
from typing import NoReturn

from sqlalchemy import ColumnElement, case, insert, select, update

from portal.core import code, limits, phone_number
from portal.core.lifecycle import Event, Purpose, State, after
from portal.core.limits import Refused
from portal.core.reasons import Reason
from portal.errors import (
    CodeExpired,
    CodeNotFound,
    NotFound,
    NothingToVerify,
    NotSupported,
    TooSoon,
    WrongCode,
)
from portal.models import App, AppMode, AuditAction, User, Verification, random_id
from portal.services import audit, countries, number_holders, outbox, phone_number_limits
from portal.services.context import Context
from portal.services.outbox import Recipient


@dataclass(frozen=True, slots=True)
class Attempt:
    """The columns of a verification that deciding needs. Times in Unix ms."""

    id: str
    user_id: str
    phone_number: str
    purpose: str
    state: str
    key_version: int
    issue: int
    code_length: int
    code_expires_at: int
    sends: int
    sends_allowed: int
    last_sent_at: int | None

    def is_live(self, now: int) -> bool:
        """Whether this attempt's code would be accepted at `now`."""
        return self.state == State.OPEN and now < self.code_expires_at


_COLUMNS = [getattr(Verification, name) for name in Attempt.__slots__]


def start(ctx: Context, app: App, to: Recipient, purpose: Purpose) -> None:
    """Opens a verification of a number for a user and puts its SMS down.

    The user's former verification dies, live or not. Raises TooSoon when the number may not be texted or
    guessed at now, and BadInput when this app may not text it (ABU-04: on every sending path).
    """
    countries.refuse_unless_textable(ctx, phone_number.parse(to.phone_number))
    tally = phone_number_limits.lock(ctx, to.phone_number)
    _raise_if(limits.may_guess(tally, ctx.now, ctx.profile))
    _raise_if(limits.may_send_to_number(tally, ctx.now, ctx.profile))
    _end_open(ctx, to.user_id, Event.REPLACE)
    verification_id = random_id()
    ctx.session.execute(
        insert(Verification).values(
            app_id=ctx.app_id,
            id=verification_id,
            user_id=to.user_id,
            phone_number=to.phone_number,
            purpose=purpose,
            key_version=ctx.keys.code_version,
            code_length=app.code_length,
            code_expires_at=ctx.now + app.code_life_s * 1000,
            guesses_allowed=app.guesses_allowed,
            sends=1,
            sends_allowed=app.sends_allowed,
            last_sent_at=ctx.now,
            created_at=ctx.now,
        )
    )
    phone_number_limits.write(ctx, to.phone_number, tally.send(ctx.now))
    outbox.put_down_verification(ctx, app, to, verification_id)


def confirm(ctx: Context, user_id: str, typed: str) -> None:
    """Checks a code that a user sent back. The one place where codes are compared (OTP-14).

    Right: the number is the user's, verified. Raises WrongCode (counted, and kept), CodeExpired, TooSoon
    (too many guesses), NothingToVerify, or AlreadyExists when somebody else holds the number.
    """
    attempt = _latest(ctx, user_id)
    _refuse_dead(ctx, attempt)
    tally = phone_number_limits.lock(ctx, attempt.phone_number)
    _raise_if(limits.may_guess(tally, ctx.now, ctx.profile))
    if not code.matches(_code_of(ctx, attempt), typed):
        _count_wrong_guess(ctx, attempt)
        phone_number_limits.write(ctx, attempt.phone_number, tally.fail(ctx.now))
        raise WrongCode("The verification code is wrong.", user_id=user_id, code=typed)
    _spend(ctx, attempt)
    number_holders.give(ctx, attempt.phone_number, user_id)
    if tally.failed_guesses:
        phone_number_limits.write(ctx, attempt.phone_number, tally.forgive())
    audit.record(ctx, AuditAction.NUMBER_VERIFIED, user_id, {"purpose": attempt.purpose})


def resend(ctx: Context, user_id: str) -> None:
    """Sends the live code again, unchanged and no longer valid than before; after its end, a new one.

    Raises NothingToVerify when no number waits, TooSoon when a limit says so, and BadInput when the number's
    country was closed meanwhile.
    """
    app, user = ctx.session.get_one(App, ctx.app_id), _user(ctx, user_id)
    number, purpose = _waiting_number(ctx, user)
    to = Recipient(user_id, number, user.locale)
    tally = phone_number_limits.lock(ctx, number)
    attempt = _latest_or_none(ctx, user_id)
    if attempt is not None and attempt.phone_number == number and ctx.now < attempt.code_expires_at:
        _raise_if(_may_send_again(ctx, attempt))
    if attempt is None or attempt.phone_number != number or not attempt.is_live(ctx.now):
        start(ctx, app, to, purpose)
    else:
        _raise_if(limits.may_guess(tally, ctx.now, ctx.profile))
        _raise_if(limits.may_send_to_number(tally, ctx.now, ctx.profile))
        countries.refuse_unless_textable(ctx, phone_number.parse(number))
        _count_send(ctx, attempt)
        phone_number_limits.write(ctx, number, tally.send(ctx.now))
        outbox.put_down_verification(ctx, app, to, attempt.id)
    audit.record(ctx, AuditAction.CODE_RESENT, user_id)


def read_code(ctx: Context, user_id: str) -> str:
    """The live code, for an app admin of a sandbox app. Raises NotSupported in a live app, CodeNotFound."""
    _refuse_live_app(ctx)
    attempt = _latest_or_none(ctx, user_id)
    if attempt is None or not attempt.is_live(ctx.now):
        raise CodeNotFound("This user has no live verification code.", user_id=user_id)
    return _code_of(ctx, attempt)


def reset_code(ctx: Context, user_id: str) -> str:
    """Replaces the live code by another one and returns it; no SMS is sent (contract b.2).

    Raises NotSupported in a live app, NothingToVerify when nothing waits.
    """
    _refuse_live_app(ctx)
    attempt = _latest_or_none(ctx, user_id)
    if attempt is None or not attempt.is_live(ctx.now):
        raise _nothing(user_id)
    issue = ctx.session.scalar(
        update(Verification)
        .where(*_is(ctx, attempt), Verification.state == State.OPEN)
        .values(issue=Verification.issue + 1)
        .returning(Verification.issue)
    )
    if issue is None:
        raise _nothing(user_id)
    audit.record(ctx, AuditAction.CODE_RESET, user_id)
    return code.derive(ctx.keys.codes[attempt.key_version], attempt.id, issue, attempt.code_length)


def cancel(ctx: Context, user_id: str) -> None:
    """Ends the user's open verification, if there is one, because its number is no longer wanted."""
    _end_open(ctx, user_id, Event.CANCEL)


def _latest(ctx: Context, user_id: str) -> Attempt:
    attempt = _latest_or_none(ctx, user_id)
    if attempt is None:
        raise _nothing(user_id)
    return attempt


def _latest_or_none(ctx: Context, user_id: str) -> Attempt | None:
    found = ctx.session.execute(
        select(*_COLUMNS)
        .where(Verification.app_id == ctx.app_id, Verification.user_id == user_id)
        .order_by(Verification.created_at.desc(), (Verification.state == State.OPEN).desc())
        .limit(1)
    ).first()
    return None if found is None else Attempt(*found)


def _refuse_dead(ctx: Context, attempt: Attempt) -> None:
    if attempt.is_live(ctx.now):
        return
    if attempt.state == State.EXHAUSTED and ctx.now < attempt.code_expires_at:
        again = _may_send_again(ctx, attempt)
        raise _too_soon(Refused(Reason.TOO_MANY_GUESSES, again.until if again else ctx.now + limits.SECOND))
    if attempt.state in (State.OPEN, State.EXPIRED, State.EXHAUSTED):
        raise CodeExpired("The verification code has expired. Ask for a new one.", user_id=attempt.user_id)
    raise _nothing(attempt.user_id)


def _count_wrong_guess(ctx: Context, attempt: Attempt) -> None:
    """Notes one evaluated wrong guess, or refuses when the attempt died since it was read (OTP-04)."""
    is_last = Verification.guesses + 1 >= Verification.guesses_allowed
    state = ctx.session.scalar(
        update(Verification)
        .where(*_is_live_still(ctx, attempt))
        .values(
            guesses=Verification.guesses + 1,
            state=case(
                (is_last, after(State.OPEN, Event.LAST_GUESS)), else_=after(State.OPEN, Event.WRONG_CODE)
            ),
            ended_at=case((is_last, ctx.now), else_=None),
        )
        .returning(Verification.state)
    )
    if state is None:
        _refuse_overtaken(ctx, attempt)
    action = AuditAction.CODE_EXHAUSTED if state == State.EXHAUSTED else AuditAction.CODE_WRONG
    audit.record(ctx, action, attempt.user_id)


def _spend(ctx: Context, attempt: Attempt) -> None:
    """Ends an attempt as verified, once, or refuses when another request was first (OTP-03)."""
    spent = ctx.session.scalar(
        update(Verification)
        .where(*_is_live_still(ctx, attempt))
        .values(state=after(State.OPEN, Event.RIGHT_CODE), ended_at=ctx.now)
        .returning(Verification.id)
    )
    if spent is None:
        _refuse_overtaken(ctx, attempt)


def _refuse_overtaken(ctx: Context, attempt: Attempt) -> NoReturn:
    _refuse_dead(ctx, _latest(ctx, attempt.user_id))
    # The attempt lives, with another code than the one that was compared: an admin reset it just now.
    raise CodeExpired("The verification code was replaced. Ask for it again.", user_id=attempt.user_id)


def _count_send(ctx: Context, attempt: Attempt) -> None:
    counted = ctx.session.scalar(
        update(Verification)
        .where(*_is_live_still(ctx, attempt), Verification.sends == attempt.sends)
        .values(sends=Verification.sends + 1, last_sent_at=ctx.now)
        .returning(Verification.id)
    )
    if counted is None:
        raise _too_soon(Refused(Reason.RESEND_WAIT, ctx.now + limits.SOON))


def _end_open(ctx: Context, user_id: str, event: Event) -> None:
    expired = after(State.OPEN, Event.EXPIRE)
    ctx.session.execute(
        update(Verification)
        .where(Verification.app_id == ctx.app_id, Verification.user_id == user_id)
        .where(Verification.state == State.OPEN)
        .values(
            state=case((Verification.code_expires_at <= ctx.now, expired), else_=after(State.OPEN, event)),
            ended_at=ctx.now,
        )
    )


def _is(ctx: Context, attempt: Attempt) -> tuple[ColumnElement[bool], ...]:
    return Verification.app_id == ctx.app_id, Verification.id == attempt.id


def _is_live_still(ctx: Context, attempt: Attempt) -> tuple[ColumnElement[bool], ...]:
    return (
        *_is(ctx, attempt),
        Verification.state == State.OPEN,
        Verification.issue == attempt.issue,
        Verification.guesses < Verification.guesses_allowed,
        Verification.code_expires_at > ctx.now,
    )


def _waiting_number(ctx: Context, user: User) -> tuple[str, Purpose]:
    if user.pending_phone_number is not None and (user.pending_until or 0) > ctx.now:
        return user.pending_phone_number, Purpose.CHANGE
    if user.phone_number is not None and not user.phone_number_verified:
        return user.phone_number, Purpose.REGISTER
    raise _nothing(user.id)


def _may_send_again(ctx: Context, attempt: Attempt) -> Refused | None:
    return limits.may_send_again(
        attempt.sends,
        attempt.sends_allowed,
        attempt.last_sent_at,
        attempt.code_expires_at,
        ctx.now,
        ctx.profile,
    )


def _code_of(ctx: Context, attempt: Attempt) -> str:
    return code.derive(ctx.keys.codes[attempt.key_version], attempt.id, attempt.issue, attempt.code_length)


def _refuse_live_app(ctx: Context) -> None:
    if ctx.session.get_one(App, ctx.app_id).mode != AppMode.SANDBOX:
        raise NotSupported("Codes can be read and reset only in sandbox apps.")


def _user(ctx: Context, user_id: str) -> User:
    user = ctx.session.get(User, (ctx.app_id, user_id))
    if user is None:
        raise NotFound("user", "There is no such user.", field="userID", value=user_id)
    return user


def _nothing(user_id: str) -> NothingToVerify:
    return NothingToVerify("This user has no phone number to verify.", user_id=user_id)


def _too_soon(refused: Refused) -> TooSoon:
    return TooSoon(refused.reason, refused.reason.sentence, refused.until)


def _raise_if(refused: Refused | None) -> None:
    if refused is not None:
        raise _too_soon(refused)
