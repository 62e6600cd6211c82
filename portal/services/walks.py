"""How is a table of any length read backwards? A bounded stretch at a time, in the order of an index.

A page costs the same at the millionth row as at the first: it looks at `EXAMINED` rows at most, whatever the
filters leave of them, and says how far back it got. No row is skipped by counting, and no table is counted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

# A page that stays open is made anew with so many rows at most; what is further down is loaded again.
MOST_KEPT = 200
EXAMINED = 5_000
FEW = 500
PAGE = 50

# A column, how it is compared (from `operator`), and with what.
Filter = tuple[InstrumentedAttribute[Any], Callable[[Any, Any], Any], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Which rows are walked, by their key, and which are wanted. `at` tells a row's time (Unix ms)."""

    key: InstrumentedAttribute[int]
    at: InstrumentedAttribute[int]
    # What one index finds in the order of the key.
    where: tuple[ColumnElement[bool], ...]
    # What each row found is asked.
    filters: tuple[Filter, ...] = ()

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The filters as conditions on the table itself, for a stretch whose ends are known."""
        return [compare(column, value) for column, compare, value in self.filters]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The keys found, newest first. The next stretch begins before `next`; None when nothing is left.

    `looked_back_to` is the time of the last row examined when the walk ended before the page was full.
    """

    keys: list[int]
    next: int | None = None
    looked_back_to: int | None = None


def back(
    session: Session,
    walk: Walk,
    before: int | None = None,
    down_to: int | None = None,
    limit: int = PAGE,
) -> Stretch:
    """The newest wanted rows below `before`; with `down_to`, all that a page shows already."""
    here = _between(walk, before, down_to)
    if down_to is not None:
        keys = _wanted(session, walk, here, MOST_KEPT)
        if len(keys) == MOST_KEPT:
            return Stretch(keys, keys[-1])
        return Stretch(keys, down_to, None if len(keys) >= limit else _time_of(session, walk, down_to))
    keys = _wanted(session, walk, here, limit + 1)
    if len(keys) > limit:
        return Stretch(keys[:limit], keys[limit - 1])
    return _ended(session, walk, here, keys)


def newer(session: Session, walk: Walk, than: int, most: int = PAGE) -> int:
    """How many wanted rows came after the one with this key; `most` + 1 stands for more."""
    return len(_wanted(session, walk, (*walk.where, walk.key > than), most + 1))


def forward(session: Session, walk: Walk, after: int, end: int, most: int) -> int | None:
    """The last key of the next `most` rows between two keys, wanted or not; None when there are none."""
    between = (walk.key > after, walk.key < end)
    rows = _keys(walk).where(*walk.where, *between).order_by(walk.key).limit(most).subquery()
    last: int | None = session.scalar(select(func.max(rows.c.the_key)))
    return last


def _examined(walk: Walk, where: tuple[ColumnElement[bool], ...], most: int) -> Subquery:
    """The newest rows that one index finds, with the columns that the filters ask for."""
    columns = {column.key: column for column, _, _ in walk.filters}
    steps = select(walk.key.label("the_key"), *columns.values()) if walk.filters else _keys(walk)
    return steps.where(*where).order_by(walk.key.desc()).limit(most).subquery("examined")


def _wanted(session: Session, walk: Walk, where: tuple[ColumnElement[bool], ...], most: int) -> list[int]:
    if not walk.filters:
        return _found(session, walk, _examined(walk, where, most), most)
    # Filters that leave much are done after few rows; SQLite would look at all of them first.
    found = _found(session, walk, _examined(walk, where, min(FEW, EXAMINED)), most)
    return found if len(found) >= most else _found(session, walk, _examined(walk, where, EXAMINED), most)


def _found(session: Session, walk: Walk, rows: Subquery, most: int) -> list[int]:
    holds = [compare(rows.c[column.key], value) for column, compare, value in walk.filters]
    wanted = select(rows.c.the_key).where(*holds).order_by(rows.c.the_key.desc()).limit(most)
    return list(session.scalars(wanted))


def _ended(session: Session, walk: Walk, where: tuple[ColumnElement[bool], ...], keys: list[int]) -> Stretch:
    """The last stretch, or one that stopped after EXAMINED rows with others left."""
    rows = _keys(walk).where(*where).order_by(walk.key.desc()).limit(EXAMINED).subquery()
    count, last = session.execute(select(func.count(), func.min(rows.c.the_key))).one()
    if count < EXAMINED:
        return Stretch(keys)
    older = select(walk.key).where(*walk.where, walk.key < last).order_by(walk.key.desc()).limit(1)
    if session.scalar(older) is None:
        return Stretch(keys)
    return Stretch(keys, last, _time_of(session, walk, last))


def _time_of(session: Session, walk: Walk, key: int) -> int | None:
    return session.scalar(select(walk.at).where(*walk.where, walk.key == key))


def _keys(walk: Walk) -> Select[int]:
    return select(walk.key.label("the_key"))


def _between(walk: Walk, before: int | None, down_to: int | None) -> tuple[ColumnElement[bool], ...]:
    below = () if before is None else (walk.key < before,)
    above = () if down_to is None else (walk.key >= down_to,)
    return (*walk.where, *below, *above)
