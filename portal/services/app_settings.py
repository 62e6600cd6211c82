"""How is an app set? The few columns that sending and checking codes need.

Who has just read an app's revision (models/app_revision.py) may be told what is remembered of that very one.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, select

from portal.core.autofill import Autofill
from portal.models import App, OpenCountry, table
from portal.services.by_revision import ByRevision
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class AppSettings:
    """An app's settings as models.App has them, in a record that is cheap to read on every request."""

    id: str
    revision: str | None
    name: str
    mode: str
    default_locale: str
    phone_number_verification_required: bool
    code_length: int
    code_life_s: int
    guesses_allowed: int
    sends_allowed: int
    notify_old_number: bool
    web_autofill: bool
    web_domain: str | None
    android_autofill: bool
    android_hash: str | None
    open_countries: frozenset[str]


def autofill_of(app: App | AppSettings) -> Autofill:
    """The lines that an app has switched on for its SMS."""
    return Autofill(
        web_domain=app.web_domain if app.web_autofill else None,
        android_hash=app.android_hash if app.android_autofill else None,
    )


_COUNTRIES_OPEN = "open_countries"
_APP, _OPEN = table(App), table(OpenCountry)
_COUNTRIES = select(func.aggregate_strings(_OPEN.c.country, ",")).where(_OPEN.c.app_id == _APP.c.id)
_COLUMNS = [_APP.c[name] for name in AppSettings.__slots__ if name in _APP.c]
_SETTINGS = select(*_COLUMNS, _COUNTRIES.label(_COUNTRIES_OPEN)).where(_APP.c.id == bindparam("the_app"))


_REMEMBERED: Final = ByRevision[AppSettings]()


def load(ctx: Context, revision: str | None = None) -> AppSettings:
    """The settings of the app of `ctx`, which the caller's credential has proven to be there.

    `revision` is the app's, where this transaction has just read it beside something else.
    """
    found = _REMEMBERED.get(ctx.app_id, revision)
    if found is None:
        found = _read(ctx)
        _REMEMBERED.put(ctx.app_id, found.revision, found)
    return found


def _read(ctx: Context) -> AppSettings:
    found = ctx.execute(_SETTINGS, {"the_app": ctx.app_id}).mappings().one()
    countries = str(found[_COUNTRIES_OPEN] or "").split(",")
    return AppSettings(**{**found, _COUNTRIES_OPEN: frozenset(countries)})
