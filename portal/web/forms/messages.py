"""Which messages are looked for? The filters of the Messages page, as they stand in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.core import phone_number
from portal.core.reasons import Reason
from portal.models import MessageState
from portal.services.message_lists import Wanted
from portal.web.forms import serials

# A worldwide network has this in place of two letters.
_NETWORK = "001"
_PROVIDER_ID = re.compile(r"[0-9a-f]{32}")
_PROVIDER = re.compile(r"[a-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class MessageFilters:
    """What the address of the Messages page asks for. Values that make no sense count as not asked for."""

    outcome: MessageState | None = None
    country: str | None = None
    # A kind, or the id of one of the app's own carriers.
    provider: str | None = None
    reason: Reason | None = None
    before: int | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "MessageFilters":
        """The filters of an address. Never fails: addresses are typed, shared and cut off."""
        country = arguments.get("country", "").upper()
        provider = arguments.get("provider", "")
        return cls(
            outcome=next((each for each in MessageState if each == arguments.get("outcome")), None),
            country=country if country == _NETWORK or country in phone_number.regions() else None,
            provider=provider if _PROVIDER.fullmatch(provider) else None,
            reason=next((each for each in Reason if each == arguments.get("reason")), None),
            before=serials.read(arguments.get("before")),
        )

    @property
    def wanted(self) -> Wanted:
        """The same as the service takes it."""
        is_id = self.provider is not None and _PROVIDER_ID.fullmatch(self.provider) is not None
        return Wanted(
            state=self.outcome,
            country=self.country,
            provider=None if is_id else self.provider,
            provider_id=self.provider if is_id else None,
            reason=self.reason,
        )

    def arguments(self) -> dict[str, str]:
        """The same as arguments of an address, only what is set. The page within the list is left out."""
        names = ("outcome", "country", "provider", "reason")
        return {name: str(value) for name in names if (value := getattr(self, name))}

    def with_(self, **changes: Any) -> dict[str, str]:
        """The arguments of an address that differs from this one in a filter."""
        return replace(self, **changes).arguments()

    @property
    def any(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.arguments())
