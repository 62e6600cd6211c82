"""Whom do the indexes name for a name or an e-mail address? A bounded set of users, exact matches first."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from portal.core.search_terms import Meaning, Term, key_of
from portal.models import User, table
from portal.services.context import Context
from portal.services.lookup_pages import Place
from portal.services.lookup_walks import Filters, begins, conditions, id_begins

# So many are read of each index; more are too many for anybody to look through.
MOST_FOUND = 300
EXACT, BEGINNING = range(2)

_USER = table(User)
_COLUMNS = tuple(_USER.c)


def of(ctx: Context, term: Term, filters: Filters) -> list[Place]:
    """Whom a term fits, in order; where an index has more than MOST_FOUND, its first ones."""
    found: dict[int, Place] = {}
    for asked in _questions(term):
        # Filters look at what the index gave and never ask it for more, however few they leave.
        first = asked.where(_USER.c.app_id == ctx.app_id).limit(MOST_FOUND).subquery()
        for row in ctx.session.execute(select(first).where(conditions(first, filters, ctx.now))):
            found[row.serial] = Place(row.created_at, row.serial, _rank(term, row))
    return sorted(found.values(), key=order)


def order(place: Place) -> tuple[int, int]:
    """What lists of finds are sorted by: the likeliest first, then the newest."""
    return place.rank or 0, -place.serial


def _questions(term: Term) -> Iterator[Select[Any]]:
    """One question to each index that may know the term."""
    if term.meaning is Meaning.USER_ID:
        yield _beginning_of_id(term.value)
    elif term.meaning is Meaning.EMAIL:
        yield _beginning(_USER.c.email_address, term.value)
    elif term.is_number:
        for number in (_USER.c.phone_number, _USER.c.pending_phone_number):
            yield _beginning(number, term.value)
    else:
        for value in dict.fromkeys((term.value, term.value.lower())):
            yield _beginning(_USER.c.login_name, value)
        yield _beginning(_USER.c.email_address, term.value.lower())
        for key in (_USER.c.display_name_key, _USER.c.display_name_key_turned):
            yield _beginning(key, key_of(term))
        if term.id_beginning:
            yield _beginning_of_id(term.id_beginning)


def _beginning(column: ColumnElement[Any], value: str) -> Select[Any]:
    return select(*_COLUMNS).where(begins(column, value)).order_by(column)


def _beginning_of_id(value: str) -> Select[Any]:
    return select(*_COLUMNS).where(id_begins(_USER.c.id, value)).order_by(_USER.c.id)


def _rank(term: Term, row: Any) -> int:
    wanted = {term.value, term.value.lower(), key_of(term)}
    return EXACT if wanted & {row.login_name, row.email_address, row.display_name_key} else BEGINNING
