"""Who has these digits in a number, current or pending? The likeliest first, each page at the same cost.

The numbers that the digits are in full come first, then numbers that end in them, then all that hold them;
within each of these, the newest sign-up comes first.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, column, func, not_, or_, select, union_all
from sqlalchemy import table as named_table

from portal.core.search_terms import Term
from portal.models import User, table
from portal.models.app_fence import VIEW, VIEW_COLUMNS
from portal.services.context import Context
from portal.services.lookup_pages import Place
from portal.services.lookup_walks import Filters, conditions

# The last digits that every page shows of a number (PII-01).
SHOWN_DIGITS = 4

_USER = table(User)
_PART = named_table("user_number_part", column("rowid"), column("user_number_part"))
# PostgreSQL's indexes of parts answer only through this; see app_fence.py.
_BY_NUMBER = named_table(VIEW, *(column(each, _USER.c[each].type) for each in VIEW_COLUMNS))


class Rank(IntEnum):
    """How well a user fits digits."""

    WHOLE = 0
    ENDING = 1
    PART = 2


def untelling(ctx: Context, term: Term, filters: Filters, place: Place | None, limit: int) -> list[Place]:
    """The next `limit` users at most, in order, of whom the term says no digit that every page hides.

    That is who has a whole number that was typed, and whose numbers end in four digits or fewer.
    """
    found: list[Place] = []
    start = Rank.WHOLE if place is None or place.rank is None else Rank(place.rank)
    for rank in _untelling(term)[start:]:
        before = place.serial if place is not None and rank == start else None
        found += _ranked(ctx, term, filters, rank, before, limit - len(found))
        if len(found) >= limit or (rank is Rank.WHOLE and found and term.wholes):
            break
    return found


def telling(ctx: Context, term: Term, filters: Filters, limit: int) -> list[Place]:
    """The first `limit` of all others that the digits fit: whoever is shown them learns hidden digits."""
    found: list[Place] = []
    for rank in list(Rank)[len(_untelling(term)) :]:
        found += _ranked(ctx, term, filters, rank, None, limit - len(found))
        if len(found) >= limit:
            break
    return found


def _untelling(term: Term) -> list[Rank]:
    return [Rank.WHOLE, Rank.ENDING] if len(term.value) <= SHOWN_DIGITS else [Rank.WHOLE]


def _ranked(
    ctx: Context, term: Term, filters: Filters, rank: Rank, before: int | None, limit: int
) -> list[Place]:
    asked, users = [], _users(ctx)
    for question, serial in _questions(ctx, users, term, rank):
        narrowed = question.where(conditions(users, filters, ctx.now))
        if before is not None:
            narrowed = narrowed.where(serial < before)
        asked.append(narrowed.order_by(serial.desc()).limit(limit))
    # Each index gives its newest by itself; together they are asked in one go.
    together = asked[0] if len(asked) == 1 else union_all(*(select(each.subquery()) for each in asked))
    rows = {row.serial: Place(row.created_at, row.serial, rank) for row in ctx.session.execute(together)}
    return sorted(rows.values(), key=lambda place: -place.serial)[:limit]


def _users(ctx: Context) -> FromClause:
    return _BY_NUMBER if _is_postgresql(ctx) else _USER


def _is_postgresql(ctx: Context) -> bool:
    return ctx.session.get_bind().dialect.name == "postgresql"


def _questions(
    ctx: Context, users: FromClause, term: Term, rank: Rank
) -> Iterator[tuple[Select[Any], ColumnElement[int]]]:
    """One question to each index that may know, and the column of it that newest users are last in."""
    if rank is Rank.WHOLE:
        here = select(users.c.created_at, users.c.serial).where(users.c.app_id == ctx.app_id)
        # Some apps name their users by digits alone.
        yield here.where(users.c.login_name == term.value), users.c.serial
        for number in _numbers(users) if term.wholes else ():
            yield here.where(number.in_(term.wholes)), users.c.serial
    elif rank is Rank.ENDING and len(term.value) <= SHOWN_DIGITS and _is_postgresql(ctx):
        for number in _numbers(users):
            yield _by_end(ctx, users, number, term.value), users.c.serial
    elif rank is Rank.ENDING:
        yield _by_parts(ctx, users, _ends(users, term.value), f"{term.value} ")
    else:
        fits = and_(_holds(users, term), not_(_ends(users, term.value)))
        yield _by_parts(ctx, users, fits, term.value, term.beginning)


def _numbers(users: FromClause) -> tuple[ColumnElement[str], ColumnElement[str]]:
    return users.c.phone_number, users.c.pending_phone_number


def _by_end(ctx: Context, users: FromClause, number: ColumnElement[str], digits: str) -> Select[Any]:
    """The index of the last three digits, which has the newest users of an ending together."""
    here = select(users.c.created_at, users.c.serial).where(users.c.app_id == ctx.app_id)
    ends = here.where(number.is_not(None), func.right(number, 3) == digits[-3:])
    return ends if len(digits) == 3 else ends.where(number.endswith(digits))


def _ends(users: FromClause, digits: str) -> ColumnElement[bool]:
    return or_(*(and_(number.is_not(None), number.endswith(digits)) for number in _numbers(users)))


def _holds(users: FromClause, term: Term) -> ColumnElement[bool]:
    holds = [number.contains(term.value) for number in _numbers(users)]
    begins = [number.startswith(term.beginning) for number in _numbers(users)] if term.beginning else []
    return or_(*holds, *begins)


def _by_parts(
    ctx: Context, users: FromClause, fits: ColumnElement[bool], *texts: str
) -> tuple[Select[Any], ColumnElement[int]]:
    """SQLite needs its index of parts to be asked by name; PostgreSQL finds its own by itself."""
    found = select(users.c.created_at, users.c.serial).where(fits)
    if _is_postgresql(ctx):
        return found.where(users.c.app_id == ctx.app_id), users.c.serial
    # Spelled so, the app is no way in: its indexes would be read whole before the digits' own.
    here = users.c.app_id.concat("") == ctx.app_id
    joined = found.select_from(_PART.join(users, users.c.serial == _PART.c.rowid))
    return joined.where(here, _PART.c.user_number_part.op("MATCH")(_in_parts(texts))), _PART.c.rowid


def _in_parts(texts: Iterable[str]) -> str:
    """The question to SQLite's index: all parts of three of one of the texts."""
    each = (" AND ".join(f'"{text[at : at + 3]}"' for at in range(len(text) - 2)) for text in texts if text)
    return " OR ".join(f"({parts})" for parts in each)
