"""Which audit entries are looked for? The filters of the Audit page, as they stand in the address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from portal.models import ActorKind
from portal.services.audit_kinds import Kind
from portal.services.audit_log import Wanted
from portal.web import zones
from portal.web.forms import days, serials
from portal.web.short_terms import without_number

_USER_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
LONGEST_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """What the address of the Audit page asks for. Values that make no sense count as not asked for."""

    actor: ActorKind | None = None
    account: str = ""
    kind: Kind | None = None
    user: str = ""
    first: date | None = None
    last: date | None = None
    before: int | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "AuditFilters":
        """The filters of an address. Never fails: addresses are typed, shared and cut off."""
        account = without_number("".join(char for char in arguments.get("account", "") if char.isprintable()))
        user = without_number(arguments.get("user", "").strip())
        return cls(
            actor=next((each for each in ActorKind if each == arguments.get("actor")), None),
            account=account[:LONGEST_ADDRESS].strip(),
            kind=next((each for each in Kind if each == arguments.get("kind")), None),
            user=user if _USER_ID.fullmatch(user) else "",
            first=days.read(arguments.get("from", "")),
            last=days.read(arguments.get("to", "")),
            before=serials.read(arguments.get("before")),
        )

    @property
    def wanted(self) -> Wanted:
        """The same as the service takes it: days are the person's own, the last one included."""
        return Wanted(
            actor=self.actor,
            account=self.account or None,
            kind=self.kind,
            user_id=self.user or None,
            since=zones.starts_at(self.first) if self.first else None,
            until=zones.ends_at(self.last) if self.last else None,
        )

    def arguments(self) -> dict[str, str]:
        """The same as arguments of an address, only what is set. The page within the list is left out."""
        written = {
            "actor": self.actor,
            "account": self.account,
            "kind": self.kind,
            "user": self.user,
            "from": self.first,
            "to": self.last,
        }
        return {name: str(value) for name, value in written.items() if value}

    @property
    def any(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.arguments())
