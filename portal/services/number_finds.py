"""Who has these digits in a number, current or pending? The likeliest first, each page at the same cost.

The numbers that the digits are in full come first, then numbers that end in them, then all that hold them;
within each of these, the newest sign-up comes first.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, func, not_, or_, select, union_all
from sqlalchemy import table as named_table

from portal.core.search_terms import Term
from portal.models import User, table
from portal.services.context import Context
from portal.services.lookup_pages import Place
from portal.services.lookup_walks import Filters, conditions

# The last digits that every page shows of a number (PII-01).
SHOWN_DIGITS = 4

_USER = table(User)
_PART = named_table("user_number_part", column("rowid"), column("user_number_part"))
_NUMBERS = (_USER.c.phone_number, _USER.c.pending_phone_number)


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
    asked = []
    for question, serial in _questions(ctx, term, rank):
        narrowed = question.where(conditions(_USER, filters, ctx.now))
        if before is not None:
            narrowed = narrowed.where(serial < before)
        asked.append(narrowed.order_by(serial.desc()).limit(limit))
    # Each index gives its newest by itself; together they are asked in one go.
    together = asked[0] if len(asked) == 1 else union_all(*(select(each.subquery()) for each in asked))
    rows = {row.serial: Place(row.created_at, row.serial, rank) for row in ctx.session.execute(together)}
    return sorted(rows.values(), key=lambda place: -place.serial)[:limit]


def _questions(ctx: Context, term: Term, rank: Rank) -> Iterator[tuple[Select[Any], ColumnElement[int]]]:
    """One question to each index that may know, and the column of it that newest users are last in."""
    if rank is Rank.WHOLE:
        here = select(_USER.c.created_at, _USER.c.serial).where(_USER.c.app_id == ctx.app_id)
        # Some apps name their users by digits alone.
        yield here.where(_USER.c.login_name == term.value), _USER.c.serial
        for number in _NUMBERS if term.wholes else ():
            yield here.where(number.in_(term.wholes)), _USER.c.serial
    elif rank is Rank.ENDING and len(term.value) <= SHOWN_DIGITS and _is_postgresql(ctx):
        for number in _NUMBERS:
            yield _by_end(ctx, number, term.value), _USER.c.serial
    elif rank is Rank.ENDING:
        yield _by_parts(ctx, _ends(term.value), f"{term.value} ")
    else:
        yield _by_parts(ctx, and_(_holds(term), not_(_ends(term.value))), term.value, term.beginning)


def _is_postgresql(ctx: Context) -> bool:
    return ctx.session.get_bind().dialect.name == "postgresql"


def _by_end(ctx: Context, number: ColumnElement[str], digits: str) -> Select[Any]:
    """The index of the last three digits, which has the newest users of an ending together."""
    here = select(_USER.c.created_at, _USER.c.serial).where(_USER.c.app_id == ctx.app_id)
    ends = here.where(number.is_not(None), func.right(number, 3) == digits[-3:])
    return ends if len(digits) == 3 else ends.where(number.endswith(digits))


def _ends(digits: str) -> ColumnElement[bool]:
    return or_(*(and_(number.is_not(None), number.endswith(digits)) for number in _NUMBERS))


def _holds(term: Term) -> ColumnElement[bool]:
    holds = [number.contains(term.value) for number in _NUMBERS]
    begins = [number.startswith(term.beginning) for number in _NUMBERS] if term.beginning else []
    return or_(*holds, *begins)


def _by_parts(ctx: Context, fits: ColumnElement[bool], *texts: str) -> tuple[Select[Any], ColumnElement[int]]:
    """SQLite needs its index of parts to be asked by name; PostgreSQL finds its own by itself."""
    users = select(_USER.c.created_at, _USER.c.serial).where(fits)
    if _is_postgresql(ctx):
        return users.where(_USER.c.app_id == ctx.app_id), _USER.c.serial
    # Spelled so, the app is no way in: its indexes would be read whole before the digits' own.
    here = _USER.c.app_id.concat("") == ctx.app_id
    joined = users.select_from(_PART.join(_USER, _USER.c.serial == _PART.c.rowid))
    return joined.where(here, _PART.c.user_number_part.op("MATCH")(_in_parts(texts))), _PART.c.rowid


def _in_parts(texts: Iterable[str]) -> str:
    """The question to SQLite's index: all parts of three of one of the texts."""
    each = (" AND ".join(f'"{text[at : at + 3]}"' for at in range(len(text) - 2)) for text in texts if text)
    return " OR ".join(f"({parts})" for parts in each)
