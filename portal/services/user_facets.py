"""Which countries and locales do an app's users have? What the filters of the users page offer."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from portal import clock
from portal.core import country_names
from portal.models import User, table

# More are no help in a list to choose from.
MOST = 300
# A country that is new among a million users may come to the list a little later (ms).
REMEMBERED = clock.MINUTE
_USER = table(User)


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to choose from: countries (two letters) of numbers, and locales as clients gave them."""

    countries: list[str]
    locales: list[str]


def of(session: Session, app_id: str) -> Facets:
    """The facets of an app, countries by their names and locales by their tags.

    Jumps through the indexes, a step a value.
    """
    here = session.connection()
    countries, locales = (here.scalars(each, {"the_app": app_id}).all() for each in _STATEMENTS)
    return Facets(country_names.by_name(filter(None, countries)), sorted(filter(None, locales)))


def _jumps(column: ColumnElement[str | None]) -> Select[str | None]:
    """The values of an indexed column. A DISTINCT would read every user's entry of the index."""
    here = _USER.c.app_id == bindparam("the_app")
    first = select(func.min(column).label("value")).where(here).cte(recursive=True)
    following = select(func.min(column)).where(here, column > first.c.value).correlate(first)
    jumps = first.union_all(select(following.scalar_subquery()).where(first.c.value.is_not(None)))
    return select(jumps.c.value).where(jumps.c.value.is_not(None)).limit(MOST)


_STATEMENTS = (_jumps(_USER.c.phone_country), _jumps(_USER.c.locale))
