"""Who sends this message? Takes one due row for a while, so that no two workers send it at once (DEL-04)."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, case, literal_column, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningUpdate

from portal.models import (
    Account,
    App,
    Message,
    MessageState,
    OpenCountry,
    SmsTemplateVersion,
    User,
    Verification,
    random_id,
)

# Both databases use a partial index only for a condition that is spelled like the index's own.
UNDER_WAY: list[ColumnElement[str]] = [
    literal_column(f"'{state.value}'") for state in (MessageState.QUEUED, MessageState.SENDING)
]


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that one worker alone may send until its lease ends at `due_at` (Unix ms).

    `attempts` counts this one too. `reason` and `provider_id` are of the attempt before, if there was one.
    """

    lease: str
    serial: int
    id: str
    app_id: str
    user_id: str | None
    phone_number: str = field(repr=False)
    purpose: str
    locale: str
    values: dict[str, str] = field(repr=False)
    verification_id: str | None
    issue: int | None
    provider: str
    provider_id: str | None
    reason: str | None
    attempts: int
    unsure_attempts: int
    due_at: int
    created_at: int
    redriven_at: int | None

    @property
    def counted_at(self) -> int:
        """When this send was counted toward its user's limits (Unix ms)."""
        return self.redriven_at or self.created_at


@dataclass(frozen=True, slots=True)
class Background:
    """What is known about a claimed message outside its row; of its verification nothing for a notice."""

    app_mode: str
    state: str | None
    code_expires_at: int | None
    key_version: int | None
    code_length: int | None
    body: str | None
    # Of the account that asked for a test: which code it waits for, and the number that is its own.
    confirmation_id: str | None
    own_number: str | None
    # Whether the user was suspended; None where the message is to no user.
    disabled: bool | None
    open_countries: frozenset[str]


_COLUMNS = [getattr(Message, name) for name in Claim.__slots__]


def is_due(session: Session, now: int) -> bool:
    """Whether any message waits to be sent at `now` (Unix ms). Takes no lock."""
    return session.execute(_ANY_DUE, {"now": now}).first() is not None


def take(session: Session, app_id: str, now: int, lease: int, due_by: int | None = None) -> Claim | None:
    """The message of an app that has waited longest, taken until `now + lease` (ms); None if none is due.

    A message whose former worker let its lease lapse is due again. The claim counts as an attempt before
    anything is tried, so that a message which kills its worker cannot do so for ever (DEL-08). Where that
    worker had begun to hand the message over, its attempt was unsure: the SMS may have left (DEL-03).
    `due_by` (Unix ms) leaves out what has waited less long.
    """
    statement = _take(session.get_bind().dialect.name)
    wanted = {"app": app_id, "now": now if due_by is None else due_by}
    taken = session.execute(statement, wanted | {"until": now + lease, "token": random_id()}).first()
    return None if taken is None else Claim(*taken)


def give_back(session: Session, claim: Claim, due_at: int) -> None:
    """Puts a claimed message that nobody may send now back, due at `due_at` (Unix ms); it was no attempt."""
    session.execute(_GIVE_BACK, {"the_serial": claim.serial, "the_lease": claim.lease, "until": due_at})


def begin_hand_over(session: Session, claim: Claim, now: int) -> bool:
    """Notes at `now` (Unix ms) that a claimed message goes to its carrier; False when it is ours no more.

    Whoever takes the message over later knows by this that its SMS may have left (DEL-03).
    """
    ours = {"the_serial": claim.serial, "the_lease": claim.lease, "the_now": now}
    return session.execute(_BEGIN_HAND_OVER, ours).first() is not None


def name_provider(session: Session, claim: Claim, kind: str, provider_id: str) -> None:
    """Notes on a claimed message which of the app's carriers it goes to."""
    named = {"kind": kind, "carrier": provider_id}
    session.execute(_NAME, {"the_serial": claim.serial, "the_lease": claim.lease} | named)


def background(session: Session, claim: Claim) -> Background:
    """What sending a claimed message needs to know, as it is now."""
    row = session.execute(_BACKGROUND, {"serial": claim.serial}).one()
    countries = session.scalars(_COUNTRIES, {"app_id": claim.app_id})
    return Background(*row, open_countries=frozenset(countries))


def _is_due(message: type[Message]) -> tuple[ColumnElement[bool], ...]:
    return message.state.in_(UNDER_WAY), message.due_at <= bindparam("now", type_=BigInteger)


# These run for every message, so they are put together once.
_ANY_DUE = select(Message.serial).where(*_is_due(Message)).limit(1)

_COUNTRIES = select(OpenCountry.country).where(OpenCountry.app_id == bindparam("app_id"))

_BACKGROUND = (
    select(
        App.mode,
        Verification.state,
        Verification.code_expires_at,
        Verification.key_version,
        Verification.code_length,
        SmsTemplateVersion.body,
        Account.confirmation_id,
        Account.phone_number,
        User.disabled,
    )
    .select_from(Message)
    .join(App, App.id == Message.app_id)
    .outerjoin(
        Verification,
        (Verification.app_id == Message.app_id) & (Verification.id == Message.verification_id),
    )
    .outerjoin(SmsTemplateVersion, SmsTemplateVersion.id == Message.sms_template_version_id)
    .outerjoin(Account, Account.id == Message.account_id)
    .outerjoin(User, (User.app_id == Message.app_id) & (User.id == Message.user_id))
    .where(Message.serial == bindparam("serial"))
)

_CURRENT_ISSUE = (
    select(Verification.issue)
    .where(Verification.app_id == Message.app_id, Verification.id == Message.verification_id)
    .scalar_subquery()
)

_OURS = (
    update(Message)
    .where(Message.serial == bindparam("the_serial"), Message.lease == bindparam("the_lease"))
    .execution_options(synchronize_session=False)
)
_GIVE_BACK = _OURS.values(
    state=MessageState.QUEUED, lease=None, due_at=bindparam("until"), attempts=Message.attempts - 1
)
_BEGIN_HAND_OVER = _OURS.values(handed_over_at=bindparam("the_now", type_=BigInteger)).returning(
    Message.serial
)
_NAME = _OURS.values(provider=bindparam("kind"), provider_id=bindparam("carrier"))


@cache
def _take(dialect: str) -> ReturningUpdate[Any]:
    waiting = aliased(Message)
    longest = (
        select(waiting.serial)
        .where(waiting.app_id == bindparam("app"), *_is_due(waiting))
        .order_by(waiting.due_at)
        .limit(1)
    )
    if dialect == "postgresql":
        longest = longest.with_for_update(skip_locked=True)
    return (
        update(Message)
        .where(Message.serial == longest.scalar_subquery(), *_is_due(Message))
        .values(
            state=MessageState.SENDING,
            lease=bindparam("token"),
            due_at=bindparam("until"),
            attempts=Message.attempts + 1,
            unsure_attempts=Message.unsure_attempts + case((Message.handed_over_at.is_not(None), 1), else_=0),
            handed_over_at=None,
            provider=select(App.provider).where(App.id == Message.app_id).scalar_subquery(),
            issue=_CURRENT_ISSUE,
        )
        .returning(*_COLUMNS)
        .execution_options(synchronize_session=False)
    )
