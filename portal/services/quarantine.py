"""May messages leave? Not from a restored copy before an operator has looked at it (DAT-05)."""

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from portal.models import Quarantine


def find(session: Session) -> Quarantine | None:
    """The quarantine that this database is in; None for one that sends."""
    return session.scalar(select(Quarantine))


def is_on(session: Session) -> bool:
    """Whether nothing may be sent."""
    return session.scalar(select(Quarantine.id)) is not None


def begin(session: Session, backup_at: int, now: int) -> None:
    """Keeps everything back that a database restored from a backup of `backup_at` (Unix ms) would send."""
    session.execute(insert(Quarantine).values(id=1, since=now, backup_at=backup_at))


def open_up(session: Session) -> bool:
    """Lets messages leave again; whether they were kept back."""
    return session.scalar(delete(Quarantine).returning(Quarantine.id)) is not None
