"""May this be tried once more? Tries are counted before they are made, whoever makes them (WEB-09)."""

import hmac
from typing import Final, NamedTuple, NoReturn

from sqlalchemy import and_, case, delete, or_, select
from sqlalchemy.orm import Session

from portal import clock
from portal.core import number_hashes
from portal.core.closed_list import ClosedList
from portal.core.limits import Refused
from portal.core.number_hashes import Use
from portal.core.reasons import Reason
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
    counted = _count(ctx, tried, oldest) or _refuse(ctx.session, tried, oldest)
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


def _count(ctx: Context, tried: Tried, subject: str) -> _Counted | None:
    """One more try, also the first: one statement, since a row that another makes meanwhile is no refusal."""
    it, (allowed, window) = AttemptTally, ALLOWED[tried]
    newest = ctx.keys.hashing.newest
    first = {"subject": subject, "key_version": newest, "tries": 1, "ends_at": ctx.now + window}
    is_over = it.ends_at <= ctx.now
    again = {
        "tries": case((is_over, 1), else_=it.tries + 1),
        "ends_at": case((is_over, ctx.now + window), else_=it.ends_at),
        "key_version": newest,
    }
    add = INSERT[ctx.session.get_bind().dialect.name](it).values(first)
    counted = ctx.session.execute(
        add.on_conflict_do_update(
            index_elements=[it.subject], set_=again, where=or_(is_over, it.tries < allowed)
        ).returning(it.tries, it.ends_at)
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
    raise Refused(reason, _end_of(session, subject) or 0).as_error()


def _end_of(session: Session, subject: str) -> int | None:
    return session.scalar(select(AttemptTally.ends_at).where(AttemptTally.subject == subject))


def _subjects(ctx: Context, tried: Tried, who: str) -> list[str]:
    """What stands for `who`, by each version of the key, the oldest first; an address may be a number too."""
    typed = f"{tried}:{who.strip().lower()}".encode("utf-8", "surrogatepass")
    return [
        hmac.digest(number_hashes.key_for(Use.TRIES, key), typed, "sha256").hex()
        for _version, key in ctx.keys.hashing.all()
    ]
