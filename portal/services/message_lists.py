"""How did an app's messages fare? The outbox as a list, newest first, for the portal's Messages page."""

import operator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, literal_column, select
from sqlalchemy.orm import Session

from portal.core.reasons import Reason
from portal.models import Message, MessageState, Provider, SmsTemplateVersion, User
from portal.services import walks
from portal.services.walks import Filter, Stretch, Walk

NOT_SENT = (MessageState.FAILED, MessageState.EXPIRED, MessageState.DEAD)
# Both databases use the partial index only for a condition that is spelled like the index's own.
_SPELLED: list[ColumnElement[str]] = [literal_column(f"'{state.value}'") for state in NOT_SENT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are asked for; None means any. A reason alone asks for messages that were not sent."""

    state: MessageState | None = None
    country: str | None = None
    provider: str | None = None
    # One of the app's own carriers, by its id.
    provider_id: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What a user can be called by."""

    id: str
    display_name: str | None
    login_name: str | None
    email_address: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One message as the list shows it: never its text. Times in Unix ms; a test has no user."""

    serial: int
    id: str
    state: str
    purpose: str
    phone_number: str
    user: Named | None
    provider: str | None
    # What its owner calls the carrier, while it is there.
    provider_label: str | None
    reason: str | None
    provider_words: str | None
    attempts: int
    locale: str
    version: int | None
    due_at: int
    created_at: int


def page(
    session: Session,
    app_id: str,
    wanted: Wanted,
    before: int | None = None,
    down_to: int | None = None,
) -> tuple[list[Listed], Stretch]:
    """Up to fifty messages, newest first, and where the next ones begin (services/walks.py)."""
    stretch = walks.back(session, walk(app_id, wanted), before, down_to)
    return _listed(session, app_id, stretch.keys), stretch


def one(session: Session, app_id: str, message_id: str) -> Listed | None:
    """One message of an app as the list shows it, if it is there."""
    serial = session.scalar(select(Message.serial).where(Message.app_id == app_id, Message.id == message_id))
    return None if serial is None else next(iter(_listed(session, app_id, [serial])), None)


def newer(session: Session, app_id: str, wanted: Wanted, than: int) -> int:
    """How many wanted messages came after the one with this serial; 51 stands for more than fifty."""
    return walks.newer(session, walk(app_id, wanted), than)


def walk(app_id: str, wanted: Wanted) -> Walk:
    """The way through an app's messages: all of them, or with the index of those that were not sent."""
    asks = (
        (Message.state, wanted.state),
        (Message.country, wanted.country),
        (Message.provider, wanted.provider),
        (Message.provider_id, wanted.provider_id),
        (Message.reason, wanted.reason),
    )
    filters: list[Filter] = [(column, operator.eq, value) for column, value in asks if value is not None]
    is_not_sent = wanted.state in NOT_SENT or (wanted.state is None and wanted.reason is not None)
    where = (Message.app_id == app_id, *((was_not_sent(),) if is_not_sent else ()))
    return Walk(key=Message.serial, at=Message.created_at, where=where, filters=tuple(filters))


def was_not_sent() -> ColumnElement[bool]:
    """The condition of the index of messages that failed or expired."""
    return Message.state.in_(_SPELLED)


def _listed(session: Session, app_id: str, serials: list[int]) -> list[Listed]:
    if not serials:
        return []
    rows = session.execute(
        select(
            Message.serial,
            Message.id,
            Message.state,
            Message.purpose,
            Message.phone_number,
            User.id,
            User.display_name,
            User.login_name,
            User.email_address,
            Message.provider,
            Provider.label,
            Message.reason,
            Message.provider_words,
            Message.attempts,
            Message.locale,
            SmsTemplateVersion.version,
            Message.due_at,
            Message.created_at,
        )
        .outerjoin(Provider, (Provider.app_id == Message.app_id) & (Provider.id == Message.provider_id))
        .outerjoin(User, (User.app_id == Message.app_id) & (User.id == Message.user_id))
        .outerjoin(
            SmsTemplateVersion,
            (SmsTemplateVersion.app_id == Message.app_id)
            & (SmsTemplateVersion.id == Message.sms_template_version_id),
        )
        .where(Message.app_id == app_id, Message.serial.in_(serials))
        .order_by(Message.serial.desc())
    )
    return [_as_listed(*row) for row in rows]


def _as_listed(
    serial: int, message_id: str, state: str, purpose: str, number: str, user_id: str | None, *others: object
) -> Listed:
    names, rest = others[:3], others[3:]
    user = None if user_id is None else Named(user_id, *names)  # type: ignore[arg-type]
    return Listed(serial, message_id, state, purpose, number, user, *rest)  # type: ignore[arg-type]
