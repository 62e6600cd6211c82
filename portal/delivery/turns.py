"""Whose message is next? Apps take turns, so that a crowd in one holds up no other (DEL-09)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Session

from portal.core.limits import MINUTE
from portal.delivery.claims import UNDER_WAY
from portal.models import App, AppMode, Message, Provider, Quarantine

# No message is worth sending for longer (ms): no code and no notice lives for more than ten minutes.
LONGEST_LIFE: Final = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Turn:
    """An app with a due message. While each of its carriers is paused, it `is_held`: nothing can leave."""

    app_id: str
    is_held: bool

    def due_by(self, now: int) -> int:
        """Since when (Unix ms) a message must be due to be taken up at `now`.

        In an app that is held only those that are past use are, to be ended as expired.
        """
        return now - LONGEST_LIFE if self.is_held else now


class Turns:
    """Goes round the apps that have due messages, one turn each, then looks again. One thread at a time."""

    def __init__(self) -> None:
        self._round: deque[Turn] = deque()

    def next(self, session: Session, now: int, may_take: Callable[[str], bool]) -> Turn | None:
        """The next app whose turn it is at `now` (Unix ms) and that `may_take`; None when there is none."""
        return self._pick(may_take) or self._pick(may_take, begin=(session, now))

    def _pick(self, may_take: Callable[[str], bool], begin: tuple[Session, int] | None = None) -> Turn | None:
        if begin is not None:
            self._round = deque(with_due_messages(*begin))
        while self._round:
            turn = self._round.popleft()
            if may_take(turn.app_id):
                return turn
        return None


def with_due_messages(session: Session, now: int) -> list[Turn]:
    """Every app that has a message to take up at `now` (Unix ms); none in quarantine (DAT-05).

    It jumps from app to app in an index, and so costs the same however many messages wait. Takes no lock.
    """
    dead_by = now - LONGEST_LIFE
    return [Turn(*row) for row in session.execute(_WITH_DUE, {"now": now, "dead_by": dead_by})]


def _first_app(*after: ColumnElement[bool]) -> Select[str]:
    return select(func.min(Message.app_id)).where(Message.state.in_(UNDER_WAY), *after)


def _with_due() -> Select[str, bool]:
    first = select(_first_app().scalar_subquery().label("app_id")).cte("apps", recursive=True)
    following = select(_first_app(Message.app_id > first.c.app_id).scalar_subquery())
    apps = first.union_all(following.where(first.c.app_id.is_not(None)))
    return _of(apps.c.app_id)


def _of(app_id: ColumnElement[str]) -> Select[str, bool]:
    now, dead_by = bindparam("now", type_=BigInteger), bindparam("dead_by", type_=BigInteger)
    is_held = and_(_is_live(app_id), _has_carriers(app_id), ~_has_carriers(app_id, _is_free(now)))
    return (
        select(app_id, is_held)
        .where(_has_due(app_id, now), ~exists().where(Quarantine.id == 1))
        .where(~is_held | _has_due(app_id, dead_by))
    )


def _has_due(app_id: ColumnElement[str], by: ColumnElement[int]) -> ColumnElement[bool]:
    return exists().where(Message.app_id == app_id, Message.state.in_(UNDER_WAY), Message.due_at <= by)


def _is_live(app_id: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(App.id == app_id, App.mode == AppMode.LIVE)


def _has_carriers(app_id: ColumnElement[str], *also: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Provider.app_id == app_id, Provider.is_on, *also)


def _is_free(now: ColumnElement[int]) -> ColumnElement[bool]:
    return Provider.paused_until.is_(None) | (Provider.paused_until <= now)


_WITH_DUE = _with_due()
