"""How do others know that this worker is alive? It says so every five seconds (OPS-02)."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy.orm import Session

from portal import clock
from portal.core.alarms import BEAT_EVERY
from portal.models import random_id
from portal.services import beats
from portal.watch.rounds import Rounds


class Pulse:
    """The beats of one worker process."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Session]]) -> None:
        self._transaction = transaction
        self.id = random_id()
        self._started_at = clock.now()
        self._rounds = Rounds("pulse", BEAT_EVERY / clock.SECOND, self.beat)

    def start(self) -> None:
        """Beats at once, and from then on every five seconds."""
        self._rounds.start()

    def stop(self) -> None:
        """Says that this worker has ended as it was told to."""
        self._rounds.stop()
        with self._transaction() as session:
            beats.end(session, self.id)

    def beat(self) -> None:
        """One sign of life."""
        with self._transaction() as session:
            beats.beat(session, self.id, self._started_at, clock.now())
