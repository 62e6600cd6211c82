"""Which users are looked for? Search text and filters, as they stand in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.core import phone_number
from portal.services.lookup_walks import Filters
from portal.web import zones
from portal.web.forms import days
from portal.web.short_terms import without_number

YES_NO = {"yes": True, "no": False}
LONGEST, LONGEST_LOCALE = 254, 35


@dataclass(frozen=True, slots=True)
class UserFilters:
    """What the address of the users page asks for. Values that make no sense count as not asked for.

    `since` and `until` are days of the person's own zone (2026-02-17), both included.
    """

    q: str = ""
    verified: bool | None = None
    pending: bool | None = None
    disabled: bool | None = None
    country: str | None = None
    locale: str | None = None
    since: date | None = None
    until: date | None = None
    after: str | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "UserFilters":
        """The filters of an address. Never fails: addresses are typed, shared and cut off."""
        q = _plain(arguments.get("q", ""))[:LONGEST].strip()
        status = {"active": False, "disabled": True}.get(arguments.get("status", ""))
        country = arguments.get("country", "").upper()
        return cls(
            q=q,
            verified=YES_NO.get(arguments.get("verified", "")),
            pending=True if arguments.get("pending") == "yes" else None,
            disabled=status,
            country=country if country in phone_number.regions() else None,
            locale=without_number(_plain(arguments.get("locale", ""))[:LONGEST_LOCALE]) or None,
            since=days.read(arguments.get("since", "")),
            until=days.read(arguments.get("until", "")),
            after=arguments.get("after") or None,
        )

    def arguments(self) -> dict[str, str]:
        """The same as arguments of an address, only what is set. The page within the list is left out."""
        written = {
            "q": self.q,
            "verified": _worded(self.verified, "yes", "no"),
            "pending": "yes" if self.pending else None,
            "status": _worded(self.disabled, "disabled", "active"),
            "country": self.country,
            "locale": self.locale,
            "since": self.since,
            "until": self.until,
        }
        return {name: str(value) for name, value in written.items() if value}

    def with_(self, **changes: Any) -> dict[str, str]:
        """The arguments of an address that differs from this one in a filter."""
        return replace(self, after=None, **changes).arguments()

    def as_filters(self) -> Filters:
        """The same for the search itself, days as times (Unix ms)."""
        return Filters(
            verified=self.verified,
            pending=self.pending,
            disabled=self.disabled,
            country=self.country,
            locale=self.locale,
            created_from=zones.starts_at(self.since) if self.since else None,
            created_until=zones.ends_at(self.until) if self.until else None,
        )

    @property
    def any(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.arguments())


def _plain(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def _worded(value: bool | None, yes: str, no: str) -> str | None:
    return None if value is None else yes if value else no
