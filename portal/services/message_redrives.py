"""How is a message that was set aside tried again? By a person's word, as the same message (DEL-08).

It gets five new attempts, with the same code and the same reference, and counts as a send made now: no limit
is lifted by it. Why it was set aside is kept in the audit log.
"""

from typing import Final

from sqlalchemy import select, update

from portal.core import limits
from portal.errors import CodeExpired, NotFound, NothingToVerify, NotSupported, Overtaken
from portal.models import AuditAction, Message, MessageState
from portal.services import (
    app_settings,
    attempts,
    audit,
    backlog,
    countries,
    phone_number_limits,
    support_deeds,
    user_numbers,
)
from portal.services.attempts import Attempt
from portal.services.context import Context
from portal.services.outbox import BELL

_OVERTAKEN: Final = "This message is not set aside any more. Nothing was changed."


def redrive(ctx: Context, message_id: str, reason: str) -> None:
    """Puts a dead message back into the outbox, with a typed reason on record.

    Raises NotFound; Overtaken when it is not set aside any more; NotSupported for a message without a code;
    CodeExpired when its code has not a minute of life left (DEL-05); NothingToVerify when its number waits
    for no code any more; UserDisabled; TooSoon for a limit, BadInput for a typed reason or a number that may
    not be texted, and Busy when too many messages of the app wait.
    """
    typed = support_deeds.typed(reason)
    message = _dead(ctx, message_id)
    backlog.refuse_when_crowded(ctx)
    countries.refuse_unless_still_textable(app_settings.load(ctx), message.phone_number)
    # Locks are taken in the order number, verification, user; the message comes last.
    tally = phone_number_limits.lock(ctx, message.phone_number)
    attempt = _live(ctx, message)
    refused = limits.may_resend(attempt, tally, ctx.now, ctx.profile)
    if refused is not None:
        raise refused.as_error()
    attempts.count_send(ctx, attempt, limits.overtaken(ctx.now).as_error())
    phone_number_limits.write(ctx, message.phone_number, tally.send(ctx.now))
    _put_back(ctx, message.serial)
    audit.record(ctx, AuditAction.MESSAGE_REDRIVEN, attempt.user_id, {"reason": message.reason}, reason=typed)


def _dead(ctx: Context, message_id: str) -> Message:
    found = ctx.session.scalar(select(Message).where(Message.app_id == ctx.app_id, Message.id == message_id))
    if found is None:
        raise NotFound("message", "There is no such message in this app.")
    if found.state != MessageState.DEAD:
        raise Overtaken(_OVERTAKEN)
    if found.verification_id is None or found.user_id is None:
        raise NotSupported("Only a message with a user's code can be tried again.")
    return found


def _live(ctx: Context, message: Message) -> Attempt:
    """The verification whose code the message brings, if it still is of use to its user."""
    assert message.user_id is not None
    user = user_numbers.hold(ctx, message.user_id)
    user.refuse_disabled()
    attempt = attempts.latest(ctx, user.id)
    if attempt is None or user.waiting(ctx.now) != message.phone_number:
        raise NothingToVerify("This user waits for no code at this number any more.", user_id=user.id)
    worthless_at = attempt.code_expires_at - limits.LIFE_WORTH_SENDING
    if attempt.id != message.verification_id or not attempt.is_live(ctx.now) or ctx.now > worthless_at:
        raise CodeExpired("The code of this message is too old. Send the code again.", user_id=user.id)
    return attempt


def _put_back(ctx: Context, serial: int) -> None:
    moved = ctx.session.scalar(
        update(Message)
        .where(Message.app_id == ctx.app_id, Message.serial == serial, Message.state == MessageState.DEAD)
        .values(
            state=MessageState.QUEUED,
            attempts=0,
            unsure_attempts=0,
            handed_over_at=None,
            reason=None,
            provider_id=None,
            provider_words=None,
            due_at=ctx.now,
            redriven_at=ctx.now,
            ended_at=None,
        )
        .returning(Message.serial)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise Overtaken(_OVERTAKEN)
    ctx.session.info[BELL] = True
