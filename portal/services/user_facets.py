"""Which countries and locales do an app's users have? What the filters of the users page offer."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import Session

from portal import clock
from portal.models import User, table

# More are no help in a list to choose from.
MOST = 300
# A country that is new among a million users may come to the list a little later (ms).
REMEMBERED = clock.MINUTE
MOST_APPS = 200
_USER = table(User)


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to choose from: countries (two letters) of numbers, and locales as clients gave them."""

    countries: list[str]
    locales: list[str]


def of(session: Session, app_id: str) -> Facets:
    """The facets of an app, in the order of the alphabet. Jumps through the indexes, a step a value."""
    here = session.connection()
    countries, locales = (here.scalars(each, {"the_app": app_id}).all() for each in _STATEMENTS)
    return Facets(sorted(filter(None, countries)), sorted(filter(None, locales)))


class Memory:
    """The facets of the apps that are looked at now, asked for once a minute: every page offers them."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, Facets]] = {}

    def of(self, session: Session, app_id: str, now: int) -> Facets:
        """The facets of an app as they were at most REMEMBERED ms before `now` (Unix ms)."""
        asked_at, facets = self._kept.get(app_id, (0, None))
        if facets is not None and 0 <= now - asked_at < REMEMBERED:
            return facets
        if len(self._kept) >= MOST_APPS:
            self._kept.clear()
        facets = of(session, app_id)
        self._kept[app_id] = now, facets
        return facets


def _jumps(column: ColumnElement[str | None]) -> Select[str | None]:
    """The values of an indexed column. A DISTINCT would read every user's entry of the index."""
    here = _USER.c.app_id == bindparam("the_app")
    first = select(func.min(column).label("value")).where(here).cte(recursive=True)
    following = select(func.min(column)).where(here, column > first.c.value).correlate(first)
    jumps = first.union_all(select(following.scalar_subquery()).where(first.c.value.is_not(None)))
    return select(jumps.c.value).where(jumps.c.value.is_not(None)).limit(MOST)


_STATEMENTS = (_jumps(_USER.c.phone_country), _jumps(_USER.c.locale))
