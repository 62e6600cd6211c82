"""Which alarms stand? Raised, made worse and ended by whoever looks, and told once each (OPS-02)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    cast,
    delete,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import alarms
from portal.core.alarms import CARRIER_FAILS_AT, DEAD_TOLD_FOR, SWITCH_TOLD_FOR, AlarmName, Level
from portal.models import Alarm, Message, MessageState, Provider
from portal.services import (
    beats,
    code_sprays,
    database_timelines,
    figures,
    quarantine,
    unreadable_rows,
)

# What a look decides; the others are raised and ended by those whom they are about.
WATCHED = frozenset(
    {
        AlarmName.WORKER_STALLED,
        AlarmName.WORKER_DEAD,
        AlarmName.PROVIDER_PAUSED,
        AlarmName.BACKLOG,
        AlarmName.MESSAGES_DEAD,
        AlarmName.DATABASE_SWITCHED,
        AlarmName.CODES_SPRAYED,
    }
)


@dataclass(frozen=True, slots=True)
class Found:
    """One alarm that should stand. `about` is the id of a provider or an app, the name of a job, or empty."""

    name: AlarmName
    level: Level
    about: str = ""


def look(session: Session, now: int) -> list[Found]:
    """Which of the watched alarms should stand at `now` (Unix ms)."""
    waiting = figures.waiting(session, now)
    found = []
    switched = database_timelines.switched_since(session.connection(), now - SWITCH_TOLD_FOR)
    # What a restored copy keeps back is not late, and its operator knows.
    late = None if quarantine.is_on(session) else alarms.of_wait(waiting.overdue)
    for name, level in (
        (AlarmName.WORKER_STALLED, late),
        (AlarmName.WORKER_DEAD, None if beats.alive(session, now) else Level.PAGE),
        (AlarmName.BACKLOG, alarms.of_backlog(waiting.all)),
        (AlarmName.DATABASE_SWITCHED, Level.WARN if switched else None),
    ):
        if level is not None:
            found.append(Found(name, level))
    return found + _paused(session, now) + _set_aside(session, now) + _sprayed(session, now)


def settle(session: Session, found: Iterable[Found], now: int, *, is_told: bool) -> list[str]:
    """Lets exactly these of the watched alarms stand; returns what changed, for the log.

    Where alarms are told to nobody (`is_told`), the row of one that is over goes at once.
    """
    wanted = {(each.name.value, each.about): each for each in found}
    watched = Alarm.name.in_([name.value for name in WATCHED])
    standing = unreadable_rows.text_rows(session, select(Alarm.name, Alarm.about, Alarm.level).where(watched))
    # One whose `about` is no text is none of ours; an operator sees it stand.
    ours = [each for each in standing if not unreadable_rows.is_in_hex(each[1])]
    levels = {(name, about): level for name, about, level in ours}
    changes = [
        _said(each.name, each.about, each.level)
        for key, each in wanted.items()
        if levels.get(key) != each.level
    ]
    for each in wanted.values():
        if levels.get((each.name.value, each.about)) != each.level:
            put_up(session, each, now)
    for name, about in set(levels) - set(wanted):
        if levels[name, about] != Level.OVER:
            take_down(session, name, about, is_told=is_told)
            changes.append(_said(name, about, Level.OVER))
    return changes


def _said(name: str, about: str, level: Level) -> str:
    return f"{name} of {about}: {level}" if about else f"{name}: {level}"


def put_up(session: Session, found: Found, now: int) -> None:
    """Raises an alarm, or changes the level of one that stands."""
    is_it = _is(found.name, found.about)
    if _change(session, is_it, found, now):
        return
    try:
        with session.begin_nested():
            session.execute(
                insert(Alarm).values(name=found.name, about=found.about, level=found.level, since=now)
            )
    except IntegrityError:
        _change(session, is_it, found, now)


def take_down(session: Session, name: str, about: str = "", *, is_told: bool) -> bool:
    """Ends an alarm, and whether it stood. One whose beginning was told is kept until its end is told too."""
    is_it = _is(name, about)
    if is_told:
        kept = session.scalar(
            update(Alarm)
            .where(*is_it, Alarm.told_level.is_not(None), Alarm.level != Level.OVER)
            .values(level=Level.OVER)
            .returning(Alarm.name)
            .execution_options(synchronize_session=False)
        )
        if kept is not None:
            return True
    gone = session.scalar(delete(Alarm).where(*is_it, Alarm.level != Level.OVER).returning(Alarm.name))
    return gone is not None


def stands(session: Session, name: AlarmName, about: str = "") -> bool:
    """Whether an alarm stands."""
    found = select(Alarm.name).where(*_is(name, about), Alarm.level != Level.OVER)
    return session.scalar(found) is not None


def stands_since(session: Session, name: AlarmName, about: str = "") -> int | None:
    """Since when an alarm stands, in Unix ms; 0 where its row says what is no number, None if it does not."""
    # SQLite takes anything for a number; read as it is, it could be anything here.
    since = select(cast(Alarm.since, BigInteger)).where(*_is(name, about), Alarm.level != Level.OVER)
    return session.scalar(since)


def abouts(session: Session, name: AlarmName) -> list[str]:
    """What the standing alarms of one name are about."""
    about = select(Alarm.about).where(Alarm.name == name, Alarm.level != Level.OVER)
    return unreadable_rows.texts(session, about)


def counts(session: Session, now: int) -> dict[str, int]:
    """The figures that go along with an alarm; none of them says whose messages they are."""
    waiting = figures.waiting(session, now)
    return {
        "queued": waiting.queued,
        "sending": waiting.sending,
        "oldestWaitingSeconds": (waiting.overdue or 0) // 1_000,
        "workersAlive": beats.alive(session, now),
    }


def _is(name: str, about: str) -> Collection[ColumnElement[bool]]:
    return (Alarm.name == name, Alarm.about == about)


def _change(session: Session, is_it: Collection[ColumnElement[bool]], found: Found, now: int) -> bool:
    since_then = cast(Alarm.since, BigInteger).label("since")
    is_over = (Alarm.level == Level.OVER).label("is_over")
    before = session.execute(select(is_over, since_then).where(*is_it)).first()
    if before is None:
        return False
    since = now if before.is_over else before.since
    session.execute(
        update(Alarm)
        .where(*is_it)
        .values(level=found.level, since=since)
        .execution_options(synchronize_session=False)
    )
    return True


def _set_aside(session: Session, now: int) -> list[Found]:
    """Apps some of whose messages were set aside within the last hour, and still are (DEL-08)."""
    # The partial index is used only for a condition that is spelled like its own.
    is_dead = Message.state == literal_column(f"'{MessageState.DEAD.value}'")
    apps = session.scalars(
        select(Message.app_id).where(is_dead, Message.ended_at > now - DEAD_TOLD_FOR).distinct()
    )
    return [Found(AlarmName.MESSAGES_DEAD, Level.WARN, app_id) for app_id in apps]


def _sprayed(session: Session, now: int) -> list[Found]:
    """Apps in which somebody tries codes on many numbers (OTP-06)."""
    return [Found(AlarmName.CODES_SPRAYED, Level.WARN, app_id) for app_id in code_sprays.apps(session, now)]


def _paused(session: Session, now: int) -> list[Found]:
    """Carriers that rest or failed too often since they last worked; a page where their app has no other."""
    is_paused = or_(Provider.paused_until > now, Provider.failures_in_row >= CARRIER_FAILS_AT)
    rows = session.execute(
        select(Provider.id, Provider.app_id.in_(figures.apps_without())).where(
            Provider.is_on.is_(True), Provider.paused_until.is_not(None), is_paused
        )
    )
    return [
        Found(AlarmName.PROVIDER_PAUSED, Level.PAGE if is_last else Level.WARN, carrier)
        for carrier, is_last in rows
    ]
