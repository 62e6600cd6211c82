"""Which users of one sort are next, from the newest sign-up on? A page looks at WINDOW of them at most."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, false, func, or_, select, true, tuple_

from portal.core.search_terms import Meaning, Term, key_of
from portal.models import User, table
from portal.services.context import Context
from portal.services.lookup_pages import Place

WINDOW = 1_000
_USER = table(User)
_ID_GROUP = 12
_AFTER = dict(zip("0123456789abcdef", "123456789abcdefg", strict=True))
_KEY = tuple_(_USER.c.created_at, _USER.c.serial)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What narrows a list of users; None means all. Times in Unix ms, the end not included."""

    verified: bool | None = None
    pending: bool | None = None
    disabled: bool | None = None
    country: str | None = None
    locale: str | None = None
    created_from: int | None = None
    created_until: int | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """What one stretch gave: serials, newest first. `looked_back_to` (Unix ms) where it ended early."""

    serials: list[int]
    next: Place | None
    looked_back_to: int | None


def walk(ctx: Context, term: Term, filters: Filters, place: Place | None, limit: int) -> Walk:
    """The next `limit` users that a term and filters fit, from `place` on."""
    from_here = _from(ctx, filters, place)
    # The only OFFSET: it steps over one window of index entries, on page 1,000 as on page 1.
    last = ctx.session.execute(from_here.offset(WINDOW - 1).limit(1)).first()
    fits = and_(matches(_USER, term), conditions(_USER, filters, ctx.now))
    if last is not None:
        fits = and_(fits, tuple_(last.created_at, last.serial) <= _KEY)
    found = ctx.session.execute(from_here.where(fits).limit(limit + 1)).all()
    serials = [row.serial for row in found[:limit]]
    if len(found) > limit:
        return Walk(serials, Place(*found[limit - 1]), None)
    return Walk(serials, None, None) if last is None else Walk(serials, Place(*last), last.created_at)


def conditions(users: FromClause, filters: Filters, now: int) -> ColumnElement[bool]:
    """What rows of `users` must fulfil for a list that is narrowed so. `now` in Unix ms."""
    wanted = [*_exactly(users, filters), *_between(users, filters)]
    if filters.pending is not None:
        waits = and_(users.c.pending_phone_number.is_not(None), users.c.pending_until > now)
        wanted.append(waits if filters.pending else ~waits)
    return and_(true(), *wanted)


def matches(users: FromClause, term: Term) -> ColumnElement[bool]:
    """Whether rows of `users` fit a term, looked at one by one; user_finds.py asks the indexes instead."""
    if term.meaning is Meaning.EVERYBODY:
        return true()
    if term.is_number:
        # Only beginnings are walked; other parts are asked of their own index (number_finds.py).
        beginning = f"{term.value}%"
        return or_(users.c.phone_number.like(beginning), users.c.pending_phone_number.like(beginning))
    if term.meaning is Meaning.EMAIL:
        return begins(users.c.email_address, term.value)
    if term.meaning is Meaning.NAME:
        columns = users.c.display_name_key, users.c.display_name_key_turned
        texts = begins(users.c.login_name, term.value), begins(users.c.email_address, term.value.lower())
        ids = [id_begins(users.c.id, term.id_beginning)] if term.id_beginning else []
        return or_(*texts, *(begins(each, key_of(term)) for each in columns), *ids)
    return false()


def begins(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether a column begins with a value."""
    # A range, because LIKE on a bound value leaves the index unused on both databases.
    return and_(column >= value, column < value + "\U0010fffe")


def id_begins(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether a user ID begins with a value, which is the beginning of one."""
    # IDs are not sorted by code point: only their digits, 0 to f, come in the same order everywhere.
    first = value[:_ID_GROUP]
    last = first[:-1] + _AFTER[first[-1]]
    return and_(column >= first, column < last, func.substr(column, 1, len(value)) == value)


def _from(ctx: Context, filters: Filters, place: Place | None) -> Select[int, int]:
    """The users from `place` on, in the order of the index that is narrowest for these filters."""
    here = [_USER.c.app_id == ctx.app_id, *_driver(filters), *_between(_USER, filters)]
    if place is not None:
        here.append(tuple_(place.created_at, place.serial) > _KEY)
    return (
        select(_USER.c.created_at, _USER.c.serial)
        .where(*here)
        .order_by(_USER.c.created_at.desc(), _USER.c.serial.desc())
    )


def _driver(filters: Filters) -> list[ColumnElement[bool]]:
    """The one condition whose index is walked; those on few users come first."""
    # Partial indexes are used only for conditions that are spelled like the index's own.
    if filters.pending:
        return [_USER.c.pending_until.is_not(None)]
    if filters.disabled:
        return [_USER.c.disabled == true()]
    if filters.verified is False:
        return [_USER.c.phone_number.is_not(None), _USER.c.phone_number_verified == false()]
    if filters.locale is not None:
        return [_USER.c.locale == filters.locale]
    if filters.country is not None:
        return [_USER.c.phone_country == filters.country]
    return []


def _exactly(users: FromClause, filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.verified is not None:
        wanted.append(users.c.phone_number_verified == filters.verified)
    if filters.verified is False:
        wanted.append(users.c.phone_number.is_not(None))
    if filters.disabled is not None:
        wanted.append(users.c.disabled == filters.disabled)
    # Spelled so, these two ask no index of their own, which is larger than the one that is walked.
    if filters.country is not None:
        wanted.append(users.c.phone_country.concat("") == filters.country)
    if filters.locale is not None:
        wanted.append(users.c.locale.concat("") == filters.locale)
    return wanted


def _between(users: FromClause, filters: Filters) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if filters.created_from is not None:
        wanted.append(users.c.created_at >= filters.created_from)
    if filters.created_until is not None:
        wanted.append(users.c.created_at < filters.created_until)
    return wanted
