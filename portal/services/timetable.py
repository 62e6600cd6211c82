"""Whose turn is it to run a periodic job? Leases on rows, so that one of many workers runs each."""

from collections.abc import Mapping

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.models import PeriodicJob, random_id


def due(session: Session, names: Mapping[str, object], now: int) -> list[str]:
    """Which of these jobs nobody runs and nobody ran lately. A look only: `take` decides."""
    rows = session.execute(select(PeriodicJob.name, PeriodicJob.due_at))
    waiting = {row.name: row.due_at for row in rows}
    return [name for name in names if waiting.get(name, now) <= now]


def take(session: Session, name: str, now: int, lease: int) -> str | None:
    """The lease of a job that is due, good for `lease` ms; None when another worker was first.

    A worker that dies in mid-job leaves the job to the next one, once its lease has lapsed.
    """
    _ensure_row(session, name, now)
    return session.scalar(
        update(PeriodicJob)
        .where(PeriodicJob.name == name, PeriodicJob.due_at <= now)
        .values(lease=random_id(), due_at=now + lease)
        .returning(PeriodicJob.lease)
    )


def finish(session: Session, name: str, lease: str, next_at: int) -> None:
    """Notes when (Unix ms) a job is due again, unless its lease went to another worker meanwhile."""
    session.execute(
        update(PeriodicJob)
        .where(PeriodicJob.name == name, PeriodicJob.lease == lease)
        .values(lease=None, due_at=next_at)
    )


def _ensure_row(session: Session, name: str, now: int) -> None:
    if session.scalar(select(PeriodicJob.name).where(PeriodicJob.name == name)) is not None:
        return
    try:
        with session.begin_nested():
            session.execute(insert(PeriodicJob).values(name=name, due_at=now))
    except IntegrityError:
        # Another worker added the row at the same moment, which is as good.
        pass
