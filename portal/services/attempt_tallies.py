"""May this be tried once more? Tries are counted before they are made, whoever makes them (WEB-09)."""

import hmac
from typing import Final, NamedTuple, NoReturn

from sqlalchemy import and_, case, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import clock
from portal.core import number_hashes
from portal.core.closed_list import ClosedList
from portal.core.number_hashes import Use
from portal.core.reasons import Reason
from portal.errors import TooSoon
from portal.models import INSERT, AttemptTally
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
    were too many. While a rotation of the hashing key is under way the older version's row counts, whose lock
    everybody takes, and the newer one's says the same, so that no count begins anew (PII-06).
    """
    oldest, *newer = _subjects(ctx, tried, who)
    counted = _count(ctx, tried, oldest) or _begin(ctx, tried, oldest)
    for subject in newer:
        _copy(ctx, subject, counted)
    return counted.tries


def forgive(ctx: Context, tried: Tried, who: str) -> None:
    """Forgets the tries of `who`, who has just done it right."""
    for subject in _subjects(ctx, tried, who):
        ctx.session.execute(delete(AttemptTally).where(AttemptTally.subject == subject))


class _Counted(NamedTuple):
    tries: int
    ends_at: int


def _begin(ctx: Context, tried: Tried, subject: str) -> _Counted:
    """The first try. Raises TooSoon where there were others, and too many."""
    if _end_of(ctx.session, subject) is not None:
        _refuse(ctx.session, tried, subject)
    first = _Counted(1, ctx.now + ALLOWED[tried][1])
    try:
        with ctx.session.begin_nested():
            row = {"subject": subject, "key_version": ctx.keys.hashing.newest} | first._asdict()
            ctx.session.execute(insert(AttemptTally).values(row))
    except IntegrityError:
        # Somebody else made the first try at the same moment.
        return _count(ctx, tried, subject) or _refuse(ctx.session, tried, subject)
    return first


def _count(ctx: Context, tried: Tried, subject: str) -> _Counted | None:
    allowed, window = ALLOWED[tried]
    is_over = AttemptTally.ends_at <= ctx.now
    counted = ctx.session.execute(
        update(AttemptTally)
        .where(AttemptTally.subject == subject)
        .where(or_(is_over, and_(AttemptTally.ends_at > ctx.now, AttemptTally.tries < allowed)))
        .values(
            tries=case((is_over, 1), else_=AttemptTally.tries + 1),
            ends_at=case((is_over, ctx.now + window), else_=AttemptTally.ends_at),
            key_version=ctx.keys.hashing.newest,
        )
        .returning(AttemptTally.tries, AttemptTally.ends_at)
        .execution_options(synchronize_session=False)
    ).first()
    return None if counted is None else _Counted(*counted)


def _copy(ctx: Context, subject: str, counted: _Counted) -> None:
    it, newest = AttemptTally, ctx.keys.hashing.newest
    row = counted._asdict() | {"key_version": newest, "subject": subject}
    # Processes that know the newer key alone count there too, and what they counted stays.
    knows_more = and_(it.ends_at > ctx.now, it.tries > counted.tries)
    kept = {
        "tries": case((knows_more, it.tries), else_=counted.tries),
        "ends_at": case((knows_more, it.ends_at), else_=counted.ends_at),
        "key_version": newest,
    }
    add = INSERT[ctx.session.get_bind().dialect.name](it).values(row)
    ctx.session.execute(add.on_conflict_do_update(index_elements=[it.subject], set_=kept))


def _refuse(session: Session, tried: Tried, subject: str) -> NoReturn:
    reason = Reason.INVITE_LIMIT if tried is Tried.INVITE else Reason.SIGN_IN_LIMIT
    raise TooSoon(reason, reason.sentence, _end_of(session, subject) or 0)


def _end_of(session: Session, subject: str) -> int | None:
    return session.scalar(select(AttemptTally.ends_at).where(AttemptTally.subject == subject))


def _subjects(ctx: Context, tried: Tried, who: str) -> list[str]:
    """What stands for `who`, by each version of the key, the oldest first; an address may be a number too."""
    typed = f"{tried}:{who.strip().lower()}".encode("utf-8", "surrogatepass")
    return [
        hmac.digest(number_hashes.key_for(Use.TRIES, key), typed, "sha256").hex()
        for _version, key in ctx.keys.hashing.all()
    ]
