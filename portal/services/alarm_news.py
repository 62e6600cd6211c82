"""How do alarms read? Those that stand, and those of which nobody was told yet (OPS-02)."""

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, String, cast, delete, or_, select, update
from sqlalchemy.orm import Session

from portal.core.alarms import Level
from portal.models import Alarm
from portal.services import unreadable_rows

# The last one that a calendar knows (Unix ms).
_LAST_MOMENT = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class News:
    """One alarm as it is told. `since` is in Unix ms."""

    name: str
    level: str
    about: str
    since: int


def standing(session: Session) -> list[News]:
    """The alarms that stand, the worst first; what is no text in their rows is told in hex."""
    return sorted(_read(session, Alarm.level != Level.OVER), key=lambda each: each.level != Level.PAGE)


def untold(session: Session) -> list[News]:
    """What nobody was told of yet: alarms that are new, that became worse, or that are over."""
    is_news = or_(
        Alarm.level == Level.OVER,
        Alarm.told_level.is_(None),
        (Alarm.level == Level.PAGE) & (Alarm.told_level == Level.WARN),
    )
    # Of what is no text nobody could note that it was told.
    return [each for each in _read(session, is_news) if not any(map(unreadable_rows.is_in_hex, _texts(each)))]


def note_told(session: Session, news: News, now: int) -> None:
    """Notes that this was told, unless the alarm has changed meanwhile. The row of one that is over goes."""
    is_same = (Alarm.name == news.name, Alarm.about == news.about, Alarm.level == news.level)
    if news.level == Level.OVER:
        session.execute(delete(Alarm).where(*is_same))
        return
    session.execute(
        update(Alarm)
        .where(*is_same)
        .values(told_level=news.level, told_at=now)
        .execution_options(synchronize_session=False)
    )


def _read(session: Session, its: ColumnElement[bool]) -> list[News]:
    # SQLite takes anything for a number, also one that is no moment of any calendar.
    since = cast(cast(Alarm.since, BigInteger), String)
    wanted = select(Alarm.name, Alarm.level, Alarm.about, since).where(its).order_by(Alarm.since)
    rows = unreadable_rows.text_rows(session, wanted)
    return [News(name, level, about, min(max(int(at), 0), _LAST_MOMENT)) for name, level, about, at in rows]


def _texts(news: News) -> tuple[str, str, str]:
    return news.name, news.level, news.about
