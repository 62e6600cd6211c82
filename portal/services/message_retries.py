"""Which messages that failed or were set aside are worth another try, and who would get one?"""

from dataclasses import dataclass

from sqlalchemy import Subquery, and_, exists, select
from sqlalchemy.orm import Session, aliased

from portal.core import limits
from portal.core.lifecycle import State
from portal.models import Message, MessageState, OpenCountry, User, Verification
from portal.services import user_numbers
from portal.services.message_lists import was_not_sent

AT_ONCE = 100
# Enough for a hundred even where most failed messages were followed by newer ones; every page asks this.
_LOOKED_AT = 1_000
# No code lives longer, so no older message can still be worth it (ms).
_LONGEST_CODE_LIFE = 600 * limits.SECOND

_MAY_BE_TRIED = (MessageState.FAILED, MessageState.DEAD)


@dataclass(frozen=True, slots=True)
class Retry:
    """A message that was not sent, whose code can still be used, and the user who waits for it.

    One that was set aside `is_dead`: it goes out itself (services/message_redrives.py), not a new one.
    """

    serial: int
    message_id: str
    user_id: str
    is_dead: bool = False


def worth_it(session: Session, app_id: str, now: int, up_to: int | None = None) -> list[Retry]:
    """The newest failed messages worth it at `now` (Unix ms): up to a hundred, and one if there are more.

    The verification is open, its code has a minute left at least, its number still waits and may be texted,
    and nothing newer was sent for it. `up_to` leaves out messages with a higher serial.
    """
    failed = _failed(app_id, up_to)
    newer = aliased(Message)
    # A message without a verification finds none to join.
    rows = session.execute(
        select(failed.c.serial, failed.c.id, User.id, failed.c.state)
        .join(Verification, and_(Verification.app_id == app_id, Verification.id == failed.c.verification_id))
        .join(User, and_(User.app_id == app_id, User.id == Verification.user_id))
        .where(failed.c.state.in_(_MAY_BE_TRIED), failed.c.created_at > now - _LONGEST_CODE_LIFE)
        .where(Verification.state == State.OPEN)
        .where(Verification.code_expires_at >= now + limits.LIFE_WORTH_SENDING)
        .where(User.disabled.is_(False), user_numbers.waiting(User, now) == Verification.phone_number)
        .where(exists().where(OpenCountry.app_id == app_id, OpenCountry.country == failed.c.country))
        .where(
            ~exists().where(
                newer.app_id == app_id,
                newer.verification_id == failed.c.verification_id,
                newer.serial > failed.c.serial,
            )
        )
        .order_by(failed.c.serial.desc())
        .limit(AT_ONCE + 1)
    )
    return [
        Retry(serial, message_id, user_id, state == MessageState.DEAD)
        for serial, message_id, user_id, state in rows
    ]


def _failed(app_id: str, up_to: int | None) -> Subquery:
    """The newest messages that were not sent, as many as are looked at."""
    older = () if up_to is None else (Message.serial <= up_to,)
    columns = (Message.serial, Message.id, Message.verification_id, Message.country, Message.created_at)
    return (
        select(*columns, Message.state)
        .where(Message.app_id == app_id, was_not_sent(), *older)
        .order_by(Message.serial.desc())
        .limit(_LOOKED_AT)
        .subquery("failed")
    )
