"""Which workers are alive? Each writes a row every few seconds, and takes it away when it ends (OPS-02)."""

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from portal.core.alarms import DEAD_AFTER
from portal.models import WorkerBeat

# How long the row of a dead worker is kept (ms), for whoever asks when it was last seen.
KEPT = 24 * 60 * 60 * 1_000


def beat(session: Session, worker_id: str, started_at: int, now: int) -> None:
    """Notes that a worker is alive at `now` (Unix ms)."""
    noted = session.scalar(
        update(WorkerBeat)
        .where(WorkerBeat.id == worker_id)
        .values(beat_at=now)
        .returning(WorkerBeat.id)
        .execution_options(synchronize_session=False)
    )
    if noted is None:
        session.execute(insert(WorkerBeat).values(id=worker_id, started_at=started_at, beat_at=now))


def end(session: Session, worker_id: str) -> None:
    """Takes a worker out that ends as it was told to."""
    session.execute(delete(WorkerBeat).where(WorkerBeat.id == worker_id))


def alive(session: Session, now: int) -> int:
    """How many workers gave a sign of life within three beats of `now` (Unix ms)."""
    count = select(func.count()).select_from(WorkerBeat).where(WorkerBeat.beat_at > now - DEAD_AFTER)
    return session.scalar(count) or 0


def last_at(session: Session) -> int | None:
    """When (Unix ms) any worker last gave a sign of life; None where none ever did."""
    return session.scalar(select(func.max(WorkerBeat.beat_at)))
