"""Who notices when nothing is sent any more? Every process looks, one of them at a time (OPS-02)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from portal import clock, database
from portal.core.alarms import DEAD_AFTER
from portal.core.erasures import Erased
from portal.own_work import of_all_apps
from portal.services import alarm_news, alarms, database_timelines, erasures, timetable
from portal.services.alarm_news import News
from portal.services.context import Parts
from portal.services.erasure_journal import Journal
from portal.watch.rounds import Rounds

# How often somebody looks, and for how long one process has the telling to itself (ms).
LOOK_EVERY = 5 * clock.SECOND
TELLING_LEASE = clock.MINUTE
LOOKING, TELLING = "look_for_alarms", "tell_alarms"
# After a telling that failed (ms), and at most.
_FIRST_PAUSE, _LONGEST_PAUSE = 5 * clock.SECOND, 5 * clock.MINUTE

_log = structlog.get_logger()

# Tells one piece of news, with figures; raises CouldNotTell.
Tell = Callable[[News, dict[str, int]], None]


class CouldNotTell(Exception):
    """Nobody took the news; it is told again later. The message is safe to log."""


class App(Protocol):
    """What a watchman needs of the app that the factory made."""

    extensions: dict[str, Any]

    def app_context(self) -> AbstractContextManager[Any]:
        """Opens the surroundings in which the database is reached."""
        ...


class Watchman:
    """Looks for alarms while its process lives, and tells them by `tell` where there is somebody to tell."""

    def __init__(self, app: App, tell: Tell | None = None) -> None:
        """Beside looking, it keeps this machine's journal of erasures up to date."""
        parts: Parts = app.extensions["ringback"]
        self._app = app
        self._parts = parts
        self._tell = tell
        self._pause = _FIRST_PAUSE
        # A worker that starts together with this process has given its first sign of life by then.
        first = (DEAD_AFTER + LOOK_EVERY) / clock.SECOND
        self._rounds = Rounds("watchman", LOOK_EVERY / clock.SECOND, self.look, first=first)
        self._journal = Journal(parts.settings.home)
        # When (Unix ms) it was last compared with the database; 0 before the first time.
        self._compared_at = 0
        self._journal_rounds = Rounds("erasures", LOOK_EVERY / clock.SECOND, self.keep_journal)

    def start(self) -> None:
        """Starts looking beside the caller."""
        self._rounds.start()
        self._journal_rounds.start()

    def stop(self) -> None:
        """Stops looking."""
        self._rounds.stop()
        self._journal_rounds.stop()

    def look(self) -> bool:
        """One look, unless another process looked within the last five seconds; whether this one did."""
        if not self._is_due(LOOKING) or self._take(LOOKING, LOOK_EVERY) is None:
            return False
        now = clock.now()
        with self._transaction() as session:
            changes = alarms.settle(session, alarms.look(session, now), now, is_told=self._tell is not None)
        for change in changes:
            _log.warning("alarm", change=change)
        if self._tell is not None:
            self._tell_all(self._tell)
        return True

    def keep_journal(self) -> None:
        """Copies into this machine's journal whom anybody has erased since; each process does (PII-05)."""
        began = clock.now()
        with of_all_apps(self._app):
            session = database.reading()
            try:
                # Looked at first: what the database lost must not be taken for what it never had.
                may_have_lost = self._may_have_lost(session)
                lost = self._journal.lost(session.connection()) if may_have_lost else []
                self._journal.catch_up(session.connection())
            finally:
                session.rollback()
        if lost:
            self._erase_again(lost)
        if may_have_lost:
            # Only now: whatever fails before is tried again by the next round.
            self._compared_at = began

    def _may_have_lost(self, session: Session) -> bool:
        # The database can have gone back before this start, or when another server took over (clocks differ).
        since = self._compared_at - clock.MINUTE
        return not self._compared_at or database_timelines.switched_since(session.connection(), since)

    def _erase_again(self, lost: list[Erased]) -> None:
        with self._transaction() as session:
            connection = session.connection()
            again = erasures.replay(connection, lost, self._parts.keys, is_restored=False)
            erasures.note(connection, again)
        _log.warning("erased_again", erasures=len(again))

    def _tell_all(self, tell: Tell) -> None:
        with of_all_apps(self._app):
            if not alarm_news.untold(database.reading()):
                return
        lease = self._take(TELLING, TELLING_LEASE) if self._is_due(TELLING) else None
        if lease is None:
            return
        self._pause = _FIRST_PAUSE if self._told_all(tell) else min(2 * self._pause, _LONGEST_PAUSE)
        with self._transaction() as session:
            timetable.finish(session, TELLING, lease, clock.now() + self._pause - _FIRST_PAUSE)

    def _told_all(self, tell: Tell) -> bool:
        with of_all_apps(self._app):
            news, counts = alarm_news.untold(database.reading()), self._counts()
        for each in news:
            try:
                tell(each, counts)
            except CouldNotTell as error:
                _log.warning("alarm_not_told", alarm=each.name, level=each.level, why=str(error))
                return False
            with self._transaction() as session:
                alarm_news.note_told(session, each, clock.now())
        return True

    def _counts(self) -> dict[str, int]:
        return alarms.counts(database.reading(), clock.now())

    def _is_due(self, name: str) -> bool:
        with of_all_apps(self._app):
            return bool(timetable.due(database.reading(), {name: None}, clock.now()))

    def _take(self, name: str, lease: int) -> str | None:
        with self._transaction() as session:
            return timetable.take(session, name, clock.now(), lease)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with of_all_apps(self._app), database.transaction() as session:
            yield session
