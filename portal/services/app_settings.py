"""How is an app set? The few columns that sending and checking codes need."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from portal.models import App, table
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class AppSettings:
    """An app's settings as models.App has them, in a record that is cheap to read on every request."""

    id: str
    name: str
    default_locale: str
    phone_number_verification_required: bool
    code_length: int
    code_life_s: int
    guesses_allowed: int
    sends_allowed: int
    notify_old_number: bool


_APP = table(App)
_SETTINGS = select(*(_APP.c[name] for name in AppSettings.__slots__)).where(_APP.c.id == bindparam("the_app"))


def load(ctx: Context) -> AppSettings:
    """The settings of the app of `ctx`, which the caller's credential has proven to be there."""
    return AppSettings(*ctx.session.execute(_SETTINGS, {"the_app": ctx.app_id}).one())
