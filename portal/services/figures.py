"""How is the installation? Figures out of the rows, the same from whichever process is asked (OPS-02).

Nothing here names an app, a user or a number, and every statement reads a bounded part of an index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, case, cast, func, literal_column, select
from sqlalchemy.orm import Session

from portal.core import limits
from portal.core.alarms import BACKLOG_PAGES_AT
from portal.models import Alarm, Message, MessageState, Provider, Verification
from portal.services import beats, quarantine, unreadable_rows

# So many of the newest messages are looked at.
EXAMINED = 10_000
LATELY = limits.HOUR
# A carrier whose pause is over is tried by the next message, and until then is no carrier that is well (ms).
BETWEEN_PROBES = 15 * limits.SECOND
# Both databases use the partial index only for a condition that is spelled like the index's own.
_UNDER_WAY: list[ColumnElement[str]] = [
    literal_column(f"'{state.value}'") for state in (MessageState.QUEUED, MessageState.SENDING)
]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is under way, counted up to one more than the page level of a backlog, and how late it is (ms)."""

    queued: int
    sending: int
    overdue: int | None

    @property
    def all(self) -> int:
        """Queued and sending together."""
        return self.queued + self.sending


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts with what they count. `messages` and `verifications` are those of the last hour.

    Messages come as state, reason, kind of provider and count, with empty texts for no reason and no provider
    yet; providers as kind, state (on, paused or off) and count; alarms as name, level and count.
    """

    waiting: Waiting
    messages: Sequence[tuple[str, str, str, int]]
    verifications: Sequence[tuple[str, int]]
    providers: Sequence[tuple[str, str, int]]
    alarms: Sequence[tuple[str, str, int]]
    workers: int
    is_quarantined: bool


def read(session: Session, now: int) -> Figures:
    """The figures at `now` (Unix ms)."""
    return Figures(
        waiting=waiting(session, now),
        messages=_messages(session, now),
        verifications=_verifications(session, now),
        providers=_providers(session),
        alarms=_alarms(session),
        workers=beats.alive(session, now),
        is_quarantined=quarantine.is_on(session),
    )


def waiting(session: Session, now: int) -> Waiting:
    """What is under way at `now` (Unix ms). What waits for a paused carrier is not late."""
    rows = (
        select(Message.app_id, Message.state, Message.due_at)
        .where(Message.state.in_(_UNDER_WAY))
        .order_by(Message.due_at)
        .limit(BACKLOG_PAGES_AT + 1)
        .subquery()
    )
    is_queued = rows.c.state == MessageState.QUEUED
    due_at = func.min(rows.c.due_at).filter(rows.c.app_id.not_in(held_apps(now)))
    queued, everything, due_at = session.execute(
        select(func.count().filter(is_queued), func.count(), due_at)
    ).one()
    # A sending message is due again when its lease lapses, so a dead worker's messages are late too.
    overdue = None if due_at is None or due_at > now else now - due_at
    return Waiting(queued, everything - queued, overdue)


def held_apps(now: int) -> Select[str]:
    """The apps from which nothing can leave at `now` (Unix ms), since each of their carriers is paused."""
    until = func.min(func.coalesce(Provider.paused_until, 0))
    return (
        select(Provider.app_id)
        .where(Provider.is_on.is_(True))
        .group_by(Provider.app_id)
        .having(until > now - BETWEEN_PROBES)
    )


def apps_without() -> Select[str]:
    """The apps none of whose carriers works: each is paused, or waits for the SMS that shows it is well."""
    since = func.min(func.coalesce(Provider.paused_until, 0))
    on = select(Provider.app_id).where(Provider.is_on.is_(True))
    return on.group_by(Provider.app_id).having(since > 0)


def _messages(session: Session, now: int) -> list[tuple[str, str, str, int]]:
    newest = (
        select(Message.state, Message.reason, Message.provider, Message.created_at)
        .order_by(Message.serial.desc())
        .limit(EXAMINED)
        .subquery()
    )
    kind = (newest.c.state, func.coalesce(newest.c.reason, ""), func.coalesce(newest.c.provider, ""))
    lately = select(*kind, func.count()).where(newest.c.created_at > now - LATELY).group_by(*kind)
    return _tuples(session.execute(lately))


def _verifications(session: Session, now: int) -> list[tuple[str, int]]:
    ended = (
        select(Verification.state)
        .where(Verification.ended_at > now - LATELY)
        .limit(BACKLOG_PAGES_AT)
        .subquery()
    )
    return _tuples(session.execute(select(ended.c.state, func.count()).group_by(ended.c.state)))


def _providers(session: Session) -> list[tuple[str, str, int]]:
    state = case(
        (Provider.is_on.is_(False), "off"), (Provider.paused_until.is_not(None), "paused"), else_="on"
    ).label("breaker")
    rows = select(Provider.kind, state).subquery()
    columns = (rows.c.kind, rows.c.breaker)
    return _tuples(session.execute(select(*columns, func.count()).group_by(*columns)))


def _tuples(rows: Iterable[Row[Any]]) -> list[Any]:
    return [tuple(row) for row in rows]


def _alarms(session: Session) -> list[tuple[str, str, int]]:
    # A row of an alarm that nobody can read hides no other figure.
    count = cast(func.count(), String)
    counted = select(Alarm.name, Alarm.level, count).group_by(Alarm.name, Alarm.level)
    rows = unreadable_rows.text_rows(session, counted)
    return [(name, level, int(found)) for name, level, found in rows]
