"""May this be tried once more? Tries are counted before they are made, whoever makes them (WEB-09)."""

import hashlib
from typing import Final, NoReturn

from sqlalchemy import and_, case, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import clock
from portal.core.closed_list import ClosedList
from portal.core.reasons import Reason
from portal.errors import TooSoon
from portal.models import AttemptTally
from portal.services.context import Context


class Tried(ClosedList):
    """What is counted; each counts by itself."""

    PASSWORD = "password", "Passwords typed for one address"
    SECOND_FACTOR = "second_factor", "Second factors typed for one account"
    RESET = "reset", "Links for a new password to one address"
    INVITE = "invite", "Invites by one account"


# How many tries in how long (ms). A right one begins the count anew.
ALLOWED: Final[dict[Tried, tuple[int, int]]] = {
    Tried.PASSWORD: (10, 15 * clock.MINUTE),
    Tried.SECOND_FACTOR: (5, 15 * clock.MINUTE),
    Tried.RESET: (3, clock.HOUR),
    Tried.INVITE: (20, clock.HOUR),
}


def take(ctx: Context, tried: Tried, who: str) -> int:
    """Counts one more try of `who`, an address or an account's id; returns how many that makes.

    One statement counts and decides, so that tries which come together each count. Raises TooSoon when there
    were too many.
    """
    if tries := _count(ctx, tried, who):
        return tries
    subject = _subject(tried, who)
    if _end_of(ctx.session, subject) is not None:
        _refuse(ctx.session, tried, subject)
    try:
        with ctx.session.begin_nested():
            ends_at = ctx.now + ALLOWED[tried][1]
            ctx.session.execute(insert(AttemptTally).values(subject=subject, tries=1, ends_at=ends_at))
    except IntegrityError:
        # Somebody else made the first try at the same moment.
        return _count(ctx, tried, who) or _refuse(ctx.session, tried, subject)
    return 1


def forgive(ctx: Context, tried: Tried, who: str) -> None:
    """Forgets the tries of `who`, who has just done it right."""
    ctx.session.execute(delete(AttemptTally).where(AttemptTally.subject == _subject(tried, who)))


def _count(ctx: Context, tried: Tried, who: str) -> int | None:
    allowed, window = ALLOWED[tried]
    is_over = AttemptTally.ends_at <= ctx.now
    return ctx.session.scalar(
        update(AttemptTally)
        .where(AttemptTally.subject == _subject(tried, who))
        .where(or_(is_over, and_(AttemptTally.ends_at > ctx.now, AttemptTally.tries < allowed)))
        .values(
            tries=case((is_over, 1), else_=AttemptTally.tries + 1),
            ends_at=case((is_over, ctx.now + window), else_=AttemptTally.ends_at),
        )
        .returning(AttemptTally.tries)
        .execution_options(synchronize_session=False)
    )


def _refuse(session: Session, tried: Tried, subject: str) -> NoReturn:
    reason = Reason.INVITE_LIMIT if tried is Tried.INVITE else Reason.SIGN_IN_LIMIT
    raise TooSoon(reason, reason.sentence, _end_of(session, subject) or 0)


def _end_of(session: Session, subject: str) -> int | None:
    return session.scalar(select(AttemptTally.ends_at).where(AttemptTally.subject == subject))


def _subject(tried: Tried, who: str) -> str:
    return hashlib.sha256(f"{tried}:{who.strip().lower()}".encode("utf-8", "surrogatepass")).hexdigest()
