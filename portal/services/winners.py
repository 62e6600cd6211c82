"""Which wording does a user of some locale get? The SMS template that wins (contract d.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, bindparam, select

from portal.core import locales
from portal.models import App, SmsTemplate, SmsTemplateVersion, table
from portal.services.app_settings import AppSettings
from portal.services.by_revision import ByRevision
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class Winner:
    """The version that a user of some locale gets."""

    id: int
    locale: str
    body: str


_APP, _CURRENT, _VERSION = table(App), table(SmsTemplate), table(SmsTemplateVersion)
IS_CURRENT = and_(
    _VERSION.c.app_id == _CURRENT.c.app_id,
    _VERSION.c.locale == _CURRENT.c.locale,
    _VERSION.c.version == _CURRENT.c.current_version,
)
_OFFERED = (
    select(_APP.c.revision, _VERSION.c.id, _VERSION.c.locale, _VERSION.c.body)
    .select_from(_VERSION)
    .join(_CURRENT, IS_CURRENT)
    .join(_APP, _APP.c.id == _CURRENT.c.app_id)
    .where(_CURRENT.c.app_id == bindparam("app"))
)
_REMEMBERED: Final = ByRevision[Mapping[str, Winner]]()


def winner(ctx: Context, app: AppSettings, locale: str | None) -> Winner:
    """The wording for a user's locale: longest match, the app's default, then `en` (contract d.3)."""
    offered = _REMEMBERED.get(app.id, app.revision)
    if offered is None:
        found = ctx.execute(_OFFERED, {"app": app.id}).all()
        offered = {row.locale: Winner(*row[1:]) for row in found}
        # As of the revision that was read with them: a transaction may have changed its app since `app` was.
        _REMEMBERED.put(app.id, found[0].revision, offered)
    return offered[locales.choose(locale, offered.keys(), app.default_locale)]
