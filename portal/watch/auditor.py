"""Who notices that the audit log was tampered with? Each worker walks through it again and again (PII-07).

How far it is, and when it begins again, is in its memory and in no row: whoever can write to the database
can neither put a walk off nor have an entry passed over. So workers share no walk and need no lease. Where
each chain ended last is there, too, so that what is cut off between two walks is missed.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.orm import Session

from portal import clock, database
from portal.core.alarms import AlarmName, Level
from portal.core.audit_anchors import LOGGED, Anchor
from portal.own_work import App, of_all_apps
from portal.services import alarms, audit_checks, audit_heads, one_moment
from portal.services.alarms import Found
from portal.services.audit_walks import Walk
from portal.services.context import Parts
from portal.watch.rounds import Rounds

# So many entries are looked at in one moment, which takes 15 to 25 ms, and so often (s).
PORTION: Final = 500
PORTION_EVERY: Final = 1.0
# After so long (s) no further chain is begun in that moment.
_LONG: Final = 0.02
# What asking for one chain counts, in entries: most chains of many are short.
_A_CHAIN: Final = 25
# How long (s) after a walk through all chains began the next one may begin.
WALK_EVERY: Final = 600.0
_NAME: Final = AlarmName.AUDIT_TAMPERED

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one walk found of a chain, and when (Unix ms) it began."""

    chain: str
    holds: bool
    began_at: int


class Auditor:
    """Walks through every chain while its process lives. A chain that does not hold has its alarm."""

    def __init__(self, app: App, *, portion: int = PORTION, walk_every: float = WALK_EVERY) -> None:
        """`portion` is in entries, `walk_every` in s."""
        self._app, self._portion, self._walk_every = app, portion, walk_every
        self._parts: Parts = app.extensions["ringback"]
        # Those that this walk has not been through yet; the first of them is under way.
        self._chains: deque[str] = deque()
        self._walk: Walk | None = None
        self._chain_began_at = 0
        # Where each chain ended when it was last found to hold.
        self._heads: dict[str, Anchor] = {}
        # What was found and may still have to change an alarm.
        self._seen: dict[str, _Seen] = {}
        self._next_at = 0.0
        self._rounds = Rounds("auditor", PORTION_EVERY, self.look, first=PORTION_EVERY)

    def start(self) -> None:
        """Starts walking beside the caller."""
        self._rounds.start()

    def stop(self) -> None:
        """Stops walking."""
        self._rounds.stop()

    def look(self) -> bool:
        """One portion of a walk, if one is due; whether the walk goes on after it."""
        is_due = bool(self._chains) or time.monotonic() >= self._next_at
        if not is_due and not self._seen:
            return False
        try:
            with self._one_moment() as session:
                if is_due and not self._chains:
                    self._begin(session)
                self._look(session)
                changes = [each for each in self._seen.values() if _is_news(session, each)]
        except BaseException:
            # What this portion had counted is not known, so the chain under way is begun again.
            self._walk = None
            raise
        self._tell(changes)
        self._seen.clear()
        return bool(self._chains)

    def _begin(self, session: Session) -> None:
        next_at = time.monotonic() + self._walk_every
        known, alarmed = audit_checks.ids(session), set(alarms.abouts(session, _NAME))
        # Only now: a walk that could not be begun is begun in the next round.
        self._next_at = next_at
        self._heads = {chain: self._heads[chain] for chain in known if chain in self._heads}
        # An operator who has begun a chain anew hears soon that it holds; one that went with its app does.
        self._chains.extend(sorted({*known, *alarmed}, key=lambda chain: chain not in alarmed))

    def _look(self, session: Session) -> None:
        left, until = self._portion, time.monotonic() + _LONG
        while left > 0 and self._chains and time.monotonic() < until:
            if self._walk is None:
                self._walk = self._walk_through(self._chains[0])
            walk = self._walk
            left -= walk.go_on(session, left) + _A_CHAIN
            # A person who verifies the chain reads all that is wrong; here, one fault is enough.
            if walk.is_over or walk.report.faults:
                self._walk = None
                self._note(self._chains.popleft(), walk)
            walk.report.before.clear()

    def _walk_through(self, chain: str) -> Walk:
        self._chain_began_at = clock.now()
        head = self._heads.get(chain)
        return Walk(self._parts.keys.audit, chain, [head] if head else [], may_be_gone=True)

    def _note(self, chain: str, walk: Walk) -> None:
        holds, head = not walk.report.faults, walk.head()
        self._seen[chain] = _Seen(chain, holds, self._chain_began_at)
        if not holds:
            # Each time, and at once: whoever changed the entries can change the rows of alarms, but no log.
            _log.error(_NAME.value, app=chain)
            if chain in self._heads:
                # Where only this shows the damage, `portal audit verify` and `restart` need it.
                _log.warning(LOGGED, **audit_heads.told_of(self._heads[chain]))
        elif head is None:
            self._heads.pop(chain, None)
        else:
            self._heads[chain] = head

    def _tell(self, changes: list[_Seen]) -> None:
        if not changes:
            return
        is_told = bool(self._parts.settings.alarm_url)
        with of_all_apps(self._app), database.transaction() as session:
            for each in changes:
                if each.holds:
                    alarms.take_down(session, _NAME, each.chain, is_told=is_told)
                else:
                    alarms.put_up(session, Found(_NAME, Level.PAGE, each.chain), clock.now())

    @contextmanager
    def _one_moment(self) -> Iterator[Session]:
        with of_all_apps(self._app):
            session = database.reading()
            is_sqlite = session.get_bind().dialect.name == "sqlite"
            session.connection(execution_options=one_moment.options(is_sqlite=is_sqlite))
            try:
                yield session
            finally:
                session.rollback()


def _is_news(session: Session, seen: _Seen) -> bool:
    """Whether what a walk found changes an alarm. Another worker may have seen the damage since it began."""
    since = alarms.stands_since(session, _NAME, seen.chain)
    return since is not None and since <= seen.began_at if seen.holds else since is None
