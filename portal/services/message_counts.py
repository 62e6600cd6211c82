"""What is under way in an app's outbox, and what became of its newest messages? Figures at a bounded cost."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, literal_column, select
from sqlalchemy.orm import Session

from portal.core import limits
from portal.core.alarms import STALL_WARNS_AFTER
from portal.models import Message, MessageState
from portal.services import walks

UNDER_WAY = (MessageState.QUEUED, MessageState.SENDING)
_SPELLED: list[ColumnElement[str]] = [literal_column(f"'{state.value}'") for state in UNDER_WAY]


@dataclass(frozen=True, slots=True)
class Figures:
    """How many messages of an app are in each state. Times in Unix ms.

    Queued and sending: all there are, or at least so many where `is_crowded`. The others: of the last 24
    hours, or, where more than EXAMINED messages are younger, of the newest EXAMINED (`cut_at` is the oldest).
    """

    states: dict[MessageState, int]
    oldest_waiting: int | None
    is_stalled: bool
    is_crowded: bool
    cut_at: int | None
    # What the newest messages are, to choose filters from.
    countries: frozenset[str]
    providers: frozenset[str]
    reasons: frozenset[str]


def of(session: Session, app_id: str, now: int) -> Figures:
    """The figures at `now` (Unix ms). Two statements, each over EXAMINED rows of an index at most."""
    lately = _newest(session, app_id, now)
    states, seen, cut_at = dict.fromkeys(MessageState, 0), 0, None
    kinds: list[set[str]] = [set(), set(), set()]
    for state, *kind, recent, count, oldest in lately:
        states[MessageState(state)] += recent
        seen, cut_at = seen + count, min(oldest, cut_at or oldest)
        for known, value in zip(kinds, kind, strict=True):
            known.update([value] if value else [])
    is_cut = seen == walks.EXAMINED and cut_at is not None and cut_at > now - limits.DAY
    waiting = _under_way(session, app_id)
    states |= {MessageState.QUEUED: waiting.queued, MessageState.SENDING: waiting.sending}
    is_stalled = waiting.due_at is not None and waiting.due_at < now - STALL_WARNS_AFTER
    countries, providers, reasons = map(frozenset, kinds)
    return Figures(
        states,
        waiting.oldest,
        is_stalled,
        waiting.all == walks.EXAMINED,
        cut_at if is_cut else None,
        countries,
        providers,
        reasons,
    )


def waiting(session: Session, app_id: str) -> int:
    """How many messages of an app are queued or being sent, as far as one page may look."""
    found = _under_way(session, app_id)
    return found.queued + found.sending


def _newest(session: Session, app_id: str, now: int) -> list[tuple[str, str, str, str, int, int, int]]:
    rows = (
        select(Message.state, Message.country, Message.provider, Message.reason, Message.created_at)
        .where(Message.app_id == app_id)
        .order_by(Message.serial.desc())
        .limit(walks.EXAMINED)
        .subquery()
    )
    kind = (rows.c.state, rows.c.country, rows.c.provider, rows.c.reason)
    recent = func.sum(case((rows.c.created_at > now - limits.DAY, 1), else_=0))
    grouped = select(*kind, recent, func.count(), func.min(rows.c.created_at)).group_by(*kind)
    return [tuple(row) for row in session.execute(grouped)]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    all: int
    queued: int
    sending: int
    due_at: int | None
    oldest: int | None


def _under_way(session: Session, app_id: str) -> _UnderWay:
    # An outage may have left more waiting than a page should read.
    rows = (
        select(Message.state, Message.due_at, Message.created_at)
        .where(Message.app_id == app_id, Message.state.in_(_SPELLED))
        .order_by(Message.due_at)
        .limit(walks.EXAMINED)
        .subquery()
    )
    found = session.execute(
        select(
            func.count(),
            func.count().filter(rows.c.state == MessageState.QUEUED),
            func.count().filter(rows.c.state == MessageState.SENDING),
            func.min(rows.c.due_at),
            func.min(rows.c.created_at),
        )
    ).one()
    return _UnderWay(*found)
