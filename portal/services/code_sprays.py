"""In which apps does somebody try codes on many numbers? Written down for the watch to see (OTP-06)."""

from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core.code_sprays import WINDOW_S
from portal.models import AttemptTally

# An app is named as it is: it is no person, and the alarm has to say which one.
_PREFIX: Final = "code_spray:"
_STANDS_FOR: Final = WINDOW_S * 1_000


def note(session: Session, app_id: str, now: int) -> None:
    """Notes that codes are sprayed in an app at `now` (Unix ms); its alarm stands for ten minutes more."""
    if _go_on(session, app_id, now):
        return
    try:
        with session.begin_nested():
            row = {"subject": _PREFIX + app_id, "tries": 1, "ends_at": now + _STANDS_FOR}
            session.execute(insert(AttemptTally).values(row))
    except IntegrityError:
        # Another process saw it at the same moment.
        _go_on(session, app_id, now)


def apps(session: Session, now: int) -> list[str]:
    """The apps in which codes were sprayed within the last ten minutes."""
    is_spray = AttemptTally.subject.startswith(_PREFIX, autoescape=True)
    rows = session.scalars(select(AttemptTally.subject).where(AttemptTally.ends_at > now, is_spray))
    return sorted(subject.removeprefix(_PREFIX) for subject in rows)


def _go_on(session: Session, app_id: str, now: int) -> bool:
    change = update(AttemptTally).where(AttemptTally.subject == _PREFIX + app_id)
    values = {"tries": AttemptTally.tries + 1, "ends_at": now + _STANDS_FOR}
    going_on = change.values(values).returning(AttemptTally.subject)
    return session.scalar(going_on.execution_options(synchronize_session=False)) is not None
