"""Which users are looked for? Search text and filters, as they stand in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

YES_NO = {"yes": True, "no": False}
LONGEST = 254


@dataclass(frozen=True, slots=True)
class UserFilters:
    """What the address of the users page asks for. Values that make no sense count as not asked for."""

    q: str = ""
    verified: bool | None = None
    pending: bool | None = None
    disabled: bool | None = None
    after: str | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "UserFilters":
        """The filters of an address. Never fails: addresses are typed, shared and cut off."""
        q = "".join(char for char in arguments.get("q", "") if char.isprintable())[:LONGEST].strip()
        status = {"active": False, "disabled": True}.get(arguments.get("status", ""))
        return cls(
            q=q,
            verified=YES_NO.get(arguments.get("verified", "")),
            pending=True if arguments.get("pending") == "yes" else None,
            disabled=status,
            after=arguments.get("after") or None,
        )

    def arguments(self) -> dict[str, str]:
        """The same as arguments of an address, only what is set. The page within the list is left out."""
        written = {
            "q": self.q,
            "verified": _worded(self.verified, "yes", "no"),
            "pending": "yes" if self.pending else None,
            "status": _worded(self.disabled, "disabled", "active"),
        }
        return {name: value for name, value in written.items() if value}

    def with_(self, **changes: Any) -> dict[str, str]:
        """The arguments of an address that differs from this one in a filter."""
        return replace(self, after=None, **changes).arguments()

    @property
    def any(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.arguments())


def _worded(value: bool | None, yes: str, no: str) -> str | None:
    return None if value is None else yes if value else no
