"""Who empties the outbox and runs the periodic jobs? A few threads, woken by the bell or by themselves."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from portal import clock, database
from portal.bells import Listener
from portal.core.alarms import AlarmName, Level
from portal.delivery import dispatch
from portal.delivery.carriers import Carriers, OpenCarrier
from portal.delivery.dispatch import Post
from portal.delivery.providers import installed
from portal.delivery.providers.base import Provider
from portal.delivery.senders import Senders
from portal.models import ActorKind
from portal.own_work import of_all_apps
from portal.services import (
    alarms,
    audit_heads,
    audit_sealing,
    phone_numbers,
    retention,
    sessions,
    timetable,
)
from portal.services.alarms import Found
from portal.services.context import Caller, Context, Parts
from portal.watch.auditor import Auditor
from portal.watch.pulse import Pulse
from portal.watch.rounds import place_of

# A lost bell is made good within this time (s).
PAUSE = 1.0
LONGEST_PAUSE = 30.0
# How long (s) a stop waits for the sends under way; a provider has 10 s (OPS-03).
STOP_WITHIN = 25.0
JOB_LEASE = 2 * clock.MINUTE

_log = structlog.get_logger()


def _purge_portal_sessions(ctx: Context) -> int:
    sessions.purge(ctx.session, ctx.now)
    return 0


@dataclass(frozen=True, slots=True)
class Job:
    """A periodic job: how often (ms), and the verb. A verb that changed rows is called again."""

    every: int
    verb: Callable[[Context], int]


TIMETABLE: Mapping[str, Job] = {
    "seal_audit_entries": Job(5 * clock.SECOND, audit_sealing.seal),
    "end_expired_verifications": Job(30 * clock.SECOND, retention.end_expired_verifications),
    "lapse_pending_numbers": Job(clock.MINUTE, phone_numbers.lapse_due),
    "remove_dead_tokens": Job(10 * clock.MINUTE, retention.remove_dead_tokens),
    "purge_portal_sessions": Job(10 * clock.MINUTE, _purge_portal_sessions),
    "remove_stale_number_limits": Job(clock.HOUR, retention.remove_stale_number_limits),
    "remove_old_messages": Job(clock.HOUR, retention.remove_old_messages),
    "remove_old_verifications": Job(clock.HOUR, retention.remove_old_verifications),
    "remove_old_audit_entries": Job(clock.HOUR, retention.remove_old_audit_entries),
    "tell_audit_heads": Job(clock.HOUR, audit_heads.tell),
    "remove_old_idempotency_keys": Job(clock.HOUR, retention.remove_old_idempotency_keys),
    "remove_unverified_users": Job(clock.HOUR, retention.remove_unverified_users),
    "remove_dead_beats": Job(clock.HOUR, retention.remove_dead_beats),
}


class App(Protocol):
    """What a worker needs of the app that the factory made."""

    extensions: dict[str, Any]

    def app_context(self) -> AbstractContextManager[Any]:
        """Opens the surroundings in which the database is reached."""
        ...


class Worker:
    """Empties the outbox and keeps the timetable till it is stopped. An exception ends a pass, no thread."""

    def __init__(
        self,
        app: App,
        *,
        providers: Mapping[str, Provider] | None = None,
        open_carrier: OpenCarrier = installed.open_carrier,
        lease: int = dispatch.LEASE,
        pause: float = PAUSE,
        timetable: Mapping[str, Job] = TIMETABLE,
    ) -> None:
        """`lease` is in ms, `pause` (the longest sleep with a due message) in s."""
        parts: Parts = app.extensions["ringback"]
        self._app, self._parts = app, parts
        self._pause, self._timetable = pause, timetable
        self._carriers = Carriers(
            parts.keys,
            self._transaction,
            _now,
            base_url=parts.settings.base_url,
            private_hosts=parts.settings.private_hosts,
            open_carrier=open_carrier,
        )
        post = Post(
            transaction=self._transaction,
            keys=parts.keys,
            providers=providers
            or installed.by_name(production=parts.settings.production, terminal=sys.stdout),
            now=_now,
            lease=lease,
            carriers=self._carriers,
        )
        self._pulse = Pulse(self._transaction)
        self._auditor = Auditor(app)
        self._stopping = threading.Event()
        self._senders = Senders(post, parts.settings.senders, pause, self._survived)
        with app.app_context():
            self._listener = Listener(database.db.engine.url, self.ring)
        self._keeper = threading.Thread(target=self._keep_time, name="timetable", daemon=True)
        self._threads = [*self._senders.threads, self._keeper]

    def ring(self) -> None:
        """Says that a message was put down. Never waits."""
        self._senders.ring()

    def start(self) -> None:
        """Starts working beside the caller."""
        self._pulse.start()
        self._senders.start()
        self._keeper.start()
        self._listener.start()
        self._auditor.start()

    def stop(self, within: float = STOP_WITHIN) -> bool:
        """Takes no new message, and waits `within` seconds for those under way; whether all were finished.

        Every message whose sending ends in time has its lease given back by then (OPS-03).
        """
        self._stopping.set()
        self._auditor.stop()
        self._listener.stop()
        self._senders.stop()
        until = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
        # It is alive as long as it sends; only then does it say that it is gone.
        self._survived(self._pulse.stop)
        if any(thread.is_alive() for thread in self._threads):
            return False
        self._carriers.close()
        return True

    def empty_outbox(self) -> int:
        """Sends whatever is due now; returns how many messages were taken up: none in quarantine (DAT-05)."""
        return self._senders.empty()

    def run_due_jobs(self) -> list[str]:
        """Runs the jobs whose time has come and that no other worker runs; returns their names."""
        with of_all_apps(self._app):
            waiting = timetable.due(database.reading(), self._timetable, clock.now())
        return [name for name in waiting if not self._stopping.is_set() and self._run_job(name)]

    def _keep_time(self) -> None:
        pause = self._pause
        while not self._stopping.wait(pause):
            pause = self._pause if self._survived(self.run_due_jobs) else min(pause * 2, LONGEST_PAUSE)

    def _survived(self, work: Callable[[], object]) -> bool:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the top of a thread, which must go on
            # The error's own words may hold numbers, so only its kind and place are told (PII-02).
            _log.error("pass_failed", error=type(error).__name__, at=place_of(error.__traceback__))
            return False
        return True

    def _run_job(self, name: str) -> bool:
        job = self._timetable[name]
        with self._transaction() as session:
            lease = timetable.take(session, name, clock.now(), JOB_LEASE)
        if lease is None:
            return False
        try:
            while not self._stopping.is_set() and self._run_once(job):
                pass
        except Exception as error:  # noqa: BLE001 - one job that fails must not keep the others from running
            _log.error("job_failed", job=name, error=type(error).__name__, at=place_of(error.__traceback__))
            self._note_job(name, has_failed=True)
            return True
        self._note_job(name, has_failed=False)
        with self._transaction() as session:
            timetable.finish(session, name, lease, clock.now() + job.every)
        return True

    def _note_job(self, name: str, *, has_failed: bool) -> None:
        with of_all_apps(self._app):
            stood = alarms.stands(database.reading(), AlarmName.JOB_FAILED, name)
        if stood == has_failed:
            return
        with self._transaction() as session:
            if has_failed:
                alarms.put_up(session, Found(AlarmName.JOB_FAILED, Level.WARN, name), clock.now())
            else:
                is_told = bool(self._parts.settings.alarm_url)
                alarms.take_down(session, AlarmName.JOB_FAILED, name, is_told=is_told)

    def _run_once(self, job: Job) -> int:
        with self._transaction() as session:
            return job.verb(self._parts.context(session, Caller(ActorKind.SYSTEM)))

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with of_all_apps(self._app), database.transaction() as session:
            yield session


def _now() -> int:
    return clock.now()
