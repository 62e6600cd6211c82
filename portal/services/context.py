"""What does every verb need to know? Who asks, when, and by which keys and limits."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.orm import Session

from portal import clock
from portal.config import Settings
from portal.core.keeping import DEFAULT, Keeping
from portal.core.limits import Profile
from portal.errors import Refusal
from portal.keys import Keys
from portal.mailer import Mailer
from portal.models import ActorKind
from portal.services import bundles
from portal.services.bundles import Waiting, Write
from portal.services.passwords import Hasher
from portal.services.source_limits import SourceLimits


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `app_id` fences every row; `id` is a user, an account or nobody in particular."""

    kind: ActorKind
    app_id: str = ""
    id: str | None = None

    @property
    def is_admin(self) -> bool:
        """Whether this caller holds the app's admin rights over REST."""
        return self.kind is ActorKind.ADMIN


@dataclass(frozen=True, slots=True)
class Context:
    """One call's surroundings. `now` is Unix ms; the session belongs to the door's transaction."""

    session: Session
    caller: Caller
    now: int
    keys: Keys
    profile: Profile
    keeping: Keeping = DEFAULT
    _connection: Connection = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_connection", self.session.connection())

    @property
    def app_id(self) -> str:
        """The app whose rows this call may touch."""
        return self.caller.app_id

    def execute(self, statement: Executable, values: dict[str, Any]) -> CursorResult[*tuple[Any, ...]]:
        """Runs a statement on tables that was made once, in this transaction; past the ORM, for speed."""
        return self._connection.execute(statement, values)

    def scalar(self, statement: Executable, values: dict[str, Any]) -> Any:
        """The first value of the first row that such a statement gives, or None."""
        return self.execute(statement, values).scalar()

    def add(self, write: Write, values: dict[str, Any], or_else: Refusal | None = None) -> None:
        """Runs a write on tables whose outcome nobody asks for, by the next statement at the latest.

        `values` must name every column that is to be filled, those with a default of ours too. `or_else` is
        raised then or now where it changes no row; such a write must return something of each row.
        """
        one = Waiting(write, values, or_else)
        bundle = bundles.of(self._connection)
        if bundle is None:
            bundles.send(self._connection, one)
        else:
            bundle.add(self._connection, one)

    def by_account(self, account_id: str) -> "Context":
        """The same call, made by an account that has just proved itself, outside any app."""
        return replace(self, caller=Caller(ActorKind.ACCOUNT, "", account_id))

    def in_app(self, app_id: str) -> "Context":
        """The same call, made by Ringback itself, in another app: for periodic jobs and creation."""
        return replace(self, caller=replace(self.caller, app_id=app_id))


@dataclass(frozen=True, slots=True)
class Parts:
    """What the factory put together; kept at app.extensions["ringback"]."""

    settings: Settings
    keys: Keys
    profile: Profile
    hasher: Hasher
    mailer: Mailer
    sources: SourceLimits
    # What a request does in it may take long, and keeps no other request from running.
    while_waiting: Callable[[], AbstractContextManager[None]] = nullcontext

    def context(self, session: Session, caller: Caller) -> Context:
        """The surroundings of one call that is made now."""
        return Context(session, caller, clock.now(), self.keys, self.profile, _keeping(self.settings))


def _keeping(settings: Settings) -> Keeping:
    users = settings.keep_unverified_users_days * clock.DAY
    return Keeping(
        messages=settings.keep_messages_days * clock.DAY,
        audit=settings.keep_audit_days * clock.DAY,
        unverified_users=users or None,
    )
