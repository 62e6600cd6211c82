"""Which locales do an app's users have, and which SMS template does each of them get?"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core import locales, wordings
from portal.models import User


@dataclass(frozen=True, slots=True)
class LocaleUse:
    """How many users have a locale (None: none set), and the locale of the template that serves them."""

    locale: str | None
    users: int
    served_by: str

    @property
    def has_language(self) -> bool:
        """Whether their locale names a language at all."""
        return self.locale is not None and bool(locales.own_chain(self.locale))

    @property
    def falls_back(self) -> bool:
        """Whether these users read another language than theirs, or theirs in another script.

        A template for all regions of a language is in theirs: `de` serves `de-DE`.
        """
        if self.locale is None or not self.has_language:
            return False
        is_same_language = _language(self.locale) == _language(self.served_by)
        return not is_same_language or locales.script(self.locale) != locales.script(self.served_by)

    @property
    def lacks(self) -> str | None:
        """The locale whose template would serve them and most of their kind; None when nothing is missing."""
        return locale_to_add(self.locale) if self.locale is not None and self.falls_back else None


@dataclass(frozen=True, slots=True)
class Readers:
    """How many users get one template: it is in their language, in another one, or they told of none."""

    in_theirs: int = 0
    in_another: int = 0
    unknown: int = 0

    @property
    def all(self) -> int:
        """Everybody who gets it."""
        return self.in_theirs + self.in_another + self.unknown


def of(session: Session, app_id: str, offered: Collection[str], default: str) -> list[LocaleUse]:
    """Every locale that users have, most users first. Reads the app's part of the index on locales once."""
    rows = session.execute(
        select(User.locale, func.count()).where(User.app_id == app_id).group_by(User.locale)
    )
    found = [LocaleUse(tag, users, locales.choose(tag, offered, default)) for tag, users in rows]
    return sorted(found, key=lambda use: (-use.users, use.locale or ""))


def exactly(session: Session, app_id: str, locale: str) -> int:
    """How many users have this very locale. Reads their part of the index on locales."""
    wanted = select(func.count()).where(User.app_id == app_id, User.locale == locale)
    return session.scalar(wanted) or 0


def readers(uses: Iterable[LocaleUse]) -> dict[str, Readers]:
    """Who gets which template, by the template's locale. One that nobody gets is left out."""
    found: dict[str, Readers] = {}
    for use in uses:
        so_far = found.get(use.served_by, Readers())
        kind = "in_another" if use.falls_back else "in_theirs" if use.has_language else "unknown"
        found[use.served_by] = replace(so_far, **{kind: getattr(so_far, kind) + use.users})
    return found


def locale_to_add(locale: str) -> str:
    """The locale that a template for such users is best saved in: `ko` for `ko-KR`, `zh-Hant` for `zh-TW`.

    It is the one that we have a wording for, or else the broadest one in the same script.
    """
    own = [tag for tag in locales.own_chain(locale) if locales.script(tag) == locales.script(locale)]
    return next((tag for tag in own if tag in wordings.VERIFICATION), own[-1])


def _language(tag: str) -> str:
    return _plain(tag).partition("-")[0]


def _plain(tag: str) -> str:
    return tag.replace("_", "-").lower()
