"""How is a number proven? Start, confirm, resend, reset, cancel."""

from typing import NoReturn

from portal.core import code, limits
from portal.core.lifecycle import Event, Purpose, State
from portal.core.limits import Refused, Tally
from portal.core.reasons import Reason
from portal.errors import (
    CodeExpired,
    CodeNotFound,
    NothingToVerify,
    NotSupported,
    WrongCode,
)
from portal.models import App, AppMode, AuditAction
from portal.services import (
    app_settings,
    attempts,
    audit,
    backlog,
    countries,
    fresh_attempts,
    outbox,
    phone_number_limits,
    proofs,
    user_numbers,
)
from portal.services.app_settings import AppSettings
from portal.services.attempts import Attempt
from portal.services.context import Context
from portal.services.outbox import Recipient


def start(
    ctx: Context, app: AppSettings, to: Recipient, purpose: Purpose, tally: Tally | None = None
) -> None:
    """Opens a verification of a number for a user and puts its SMS down.

    The user's former verification dies, live or not. `tally` is the number's, where the caller has locked it.
    Raises TooSoon when the number may not be texted or guessed at now, BadInput when this app may not text it
    (ABU-04: on every sending path), and Busy when too many messages of the app wait (DEL-09).
    """
    _refuse_to_text(ctx, app, to.phone_number)
    tally = tally or phone_number_limits.lock_new(ctx, to.phone_number)
    _raise_if(limits.may_text(tally, ctx.now, ctx.profile))
    _open(ctx, app, to, purpose, tally)


def _open(ctx: Context, app: AppSettings, to: Recipient, purpose: Purpose, tally: Tally) -> None:
    verification_id = fresh_attempts.replace_open(ctx, app, to, purpose)
    if verification_id is None:
        raise limits.overtaken(ctx.now).as_error()
    outbox.put_down_verification(ctx, app, to, verification_id)
    phone_number_limits.write(ctx, to.phone_number, tally.send(ctx.now))


def confirm(ctx: Context, user_id: str, typed: str) -> None:
    """Checks a code that a user sent back, by the one comparison that there is (core.code.matches, OTP-14).

    Right: the number is the user's, verified. Raises WrongCode (counted and kept, if it could be a code at
    all), CodeExpired, TooSoon (too many guesses), NothingToVerify, UserDisabled, or AlreadyExists when
    somebody else holds the number.
    """
    attempt, tally = _latest_locked(ctx, user_id)
    _refuse_dead(ctx, attempt)
    _raise_if(limits.may_guess(tally, ctx.now, ctx.profile))
    if not code.has_shape(typed, attempt.code_length):
        fix = f"The verification code has {attempt.code_length} digits. This one was not counted as a guess."
        raise WrongCode(fix, user_id=user_id, code=typed)
    if not code.matches(attempts.code_of(ctx, attempt), typed):
        _count_wrong_guess(ctx, attempt)
        phone_number_limits.write(ctx, attempt.phone_number, tally.fail(ctx.now))
        raise WrongCode("The verification code is wrong.", user_id=user_id, code=typed)
    if not proofs.spend_and_give(ctx, attempt):
        _refuse_overtaken(ctx, attempt)
    if tally.failed_guesses:
        phone_number_limits.write(ctx, attempt.phone_number, tally.forgive())


def resend(
    ctx: Context,
    user_id: str,
    details: audit.Details = None,
    reason: str | None = None,
    *,
    locale: str | None = None,
) -> None:
    """Sends the live code again, unchanged and no longer valid than before; after its end, a new one.

    Raises NothingToVerify when no number waits, UserDisabled, TooSoon when a limit says so, BadInput when the
    number's country was closed meanwhile, and Busy when too many messages of the app wait. `details` and a
    typed `reason` go to the audit entry; `locale` is the one that the user is about to have.
    """
    user, tally = user_numbers.load_locking(ctx, user_id)
    user.refuse_disabled()
    number = user.waiting(ctx.now)
    if number is None:
        raise _nothing(user_id)
    purpose = Purpose.CHANGE if user.pending(ctx.now) else Purpose.REGISTER
    to = Recipient(user_id, number, locale or user.locale)
    app = app_settings.load(ctx, user.app_revision)
    _refuse_to_text(ctx, app, number)
    tally = tally or phone_number_limits.lock_new(ctx, number)
    user, attempt = attempts.hold_user(ctx, user_id)
    # Settings may have changed while the number's lock was waited for, and so may the user.
    app = app_settings.load(ctx, user.app_revision)
    _refuse_to_text(ctx, app, number)
    if user.waiting(ctx.now) != number:
        # A change of number was faster; its own code is on its way, and this one would end it.
        raise limits.overtaken(ctx.now).as_error()
    ours = attempt if attempt is not None and attempt.phone_number == number else None
    _raise_if(limits.may_resend(ours, tally, ctx.now, ctx.profile))
    if ours is not None and ours.is_live(ctx.now):
        _send_again(ctx, app, to, ours, tally)
    else:
        _open(ctx, app, to, purpose, tally)
    audit.record(ctx, AuditAction.CODE_RESENT, user_id, details, reason)


def read_code(ctx: Context, user_id: str) -> str:
    """The live code, for an app admin of a sandbox app. Raises NotSupported in a live app, CodeNotFound."""
    _refuse_live_app(ctx)
    attempt = attempts.latest(ctx, user_id)
    if attempt is None or not attempt.is_live(ctx.now):
        raise CodeNotFound("This user has no live verification code.", user_id=user_id)
    return attempts.code_of(ctx, attempt)


def reset_code(ctx: Context, user_id: str) -> str:
    """Replaces the live code by another one and returns it; no SMS is sent (contract b.2).

    Raises NotSupported in a live app, NothingToVerify when nothing waits.
    """
    _refuse_live_app(ctx)
    attempt = attempts.latest(ctx, user_id)
    if attempt is None or not attempt.is_live(ctx.now):
        raise _nothing(user_id)
    issue = attempts.next_issue(ctx, attempt)
    if issue is None:
        raise _nothing(user_id)
    audit.record(ctx, AuditAction.CODE_RESET, user_id)
    return code.derive(ctx.keys.codes[attempt.key_version], attempt.id, issue, attempt.code_length)


def cancel(ctx: Context, user_id: str) -> None:
    """Ends the user's open verification, if there is one, because its number is no longer wanted."""
    attempts.end_open(ctx, user_id, Event.CANCEL)


def _refuse_to_text(ctx: Context, app: AppSettings, number: str) -> None:
    backlog.refuse_when_crowded(ctx)
    countries.refuse_unless_still_textable(app, number)


def _send_again(ctx: Context, app: AppSettings, to: Recipient, attempt: Attempt, tally: Tally) -> None:
    attempts.count_send(ctx, attempt, limits.overtaken(ctx.now).as_error())
    outbox.put_down_verification(ctx, app, to, attempt.id)
    phone_number_limits.write(ctx, to.phone_number, tally.send(ctx.now))


def _latest(ctx: Context, user_id: str) -> Attempt:
    attempt = attempts.latest(ctx, user_id)
    if attempt is None:
        raise _nothing(user_id)
    return attempt


def _latest_locked(ctx: Context, user_id: str) -> tuple[Attempt, Tally]:
    found = attempts.latest_locked(ctx, user_id)
    if found is not None:
        return found
    # A number that nothing is remembered of any more has a tally only once it is locked.
    attempt = _latest(ctx, user_id)
    return attempt, phone_number_limits.lock_new(ctx, attempt.phone_number)


def _refuse_dead(ctx: Context, attempt: Attempt) -> None:
    if attempt.is_live(ctx.now):
        return
    if attempt.state == State.EXHAUSTED and ctx.now < attempt.code_expires_at:
        again = limits.may_send_again(attempt, ctx.now, ctx.profile)
        until = again.until if again else ctx.now + limits.SECOND
        raise Refused(Reason.TOO_MANY_GUESSES, until).as_error()
    is_over = attempt.state in (State.OPEN, State.EXPIRED, State.EXHAUSTED)
    # Whose number is proven or dropped meanwhile has nothing to ask a new code for.
    if is_over and user_numbers.load(ctx, attempt.user_id).waiting(ctx.now) == attempt.phone_number:
        raise CodeExpired("The verification code has expired. Ask for a new one.", user_id=attempt.user_id)
    raise _nothing(attempt.user_id)


def _count_wrong_guess(ctx: Context, attempt: Attempt) -> None:
    state = attempts.count_wrong_guess(ctx, attempt)
    if state is None:
        _refuse_overtaken(ctx, attempt)
    action = AuditAction.CODE_EXHAUSTED if state is State.EXHAUSTED else AuditAction.CODE_WRONG
    audit.record(ctx, action, attempt.user_id)


def _refuse_overtaken(ctx: Context, attempt: Attempt) -> NoReturn:
    """Another request was first, or the user is suspended: refuses by what the attempt has become."""
    user_numbers.load(ctx, attempt.user_id).refuse_disabled()
    _refuse_dead(ctx, _latest(ctx, attempt.user_id))
    # The attempt lives, with another code than the one that was compared: an admin reset it just now.
    raise CodeExpired("The verification code was replaced. Ask for it again.", user_id=attempt.user_id)


def _refuse_live_app(ctx: Context) -> None:
    if ctx.session.get_one(App, ctx.app_id).mode != AppMode.SANDBOX:
        raise NotSupported("Codes can be read and reset only in sandbox apps.")


def _nothing(user_id: str) -> NothingToVerify:
    return NothingToVerify("This user has no phone number to verify.", user_id=user_id)


def _raise_if(refused: Refused | None) -> None:
    if refused is not None:
        raise refused.as_error()
