"""What happened to an account lately? Its own sign-ins, proofs and memberships, newest first (PII-07)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, String, TextClause, column, select, table
from sqlalchemy.orm import Session

from portal.core.hidden_numbers import hide_all
from portal.models import CONCERNED, IS_OF_ACCOUNTS, App, AuditAction, AuditEntry, app_fence

PAGE: Final = 20
READ: Final = 200
_EVENT = table(app_fence.EVENTS, column("id", BigInteger), column("account_id", String))


@dataclass(frozen=True, slots=True)
class Event:
    """One entry about an account. `at` is Unix ms; `is_own` is whether the account did it itself.

    `app` is the name of the app whose team it is about, where it is about one. `times` is how many entries
    it stands for: wrong tries in a row, by one browser, are one event, told by its last try; `goes_on` where
    there were more of them.
    """

    id: int
    at: int
    action: str
    is_own: bool
    app: str | None
    details: Mapping[str, Any]
    times: int = 1
    goes_on: bool = False


def page(
    session: Session, account_id: str, before: int | None = None, most: int = PAGE
) -> tuple[list[Event], int | None]:
    """Up to `most` events of one account, of entries below the ID `before`, and below which ID the next are.

    They come from the log of the installation and from those of apps, by one index over both. A page is of
    READ entries at most, so a longer row of wrong tries `goes_on` on the next one.
    """
    entries = _entries(session, account_id, before)
    events = _told_once(_event(each, account_id) for each in entries[:READ])
    if len(entries) > READ and _is_of_row(events[-1], _event(entries[READ], account_id)):
        events[-1] = replace(events[-1], goes_on=True)
    shown = events[:most]
    told = sum(event.times for event in shown)
    names = _names(session, {each.app_id for each in entries[:told] if each.app_id})
    ready = [
        replace(each, app=names.get(each.app), details=hide_all(each.details))  # type: ignore[arg-type]
        for each in shown
    ]
    return ready, entries[told - 1].id if len(entries) > told else None


def _entries(session: Session, account_id: str, before: int | None) -> Sequence[Any]:
    """What a page is made of, newest first, and one more where there are more."""
    columns = (AuditEntry.id, AuditEntry.at, AuditEntry.action, AuditEntry.actor_id, AuditEntry.app_id)
    found = select(*columns, AuditEntry.details).where(AuditEntry.id.in_(_ids(session, account_id, before)))
    return session.execute(found.order_by(AuditEntry.id.desc())).all()


def _event(entry: Any, account_id: str) -> Event:
    """An entry with its app's ID instead of its name, and with details as they were written down."""
    is_own = entry.actor_id == account_id
    return Event(entry.id, entry.at, entry.action, is_own, entry.app_id, entry.details or {})


def _told_once(events: Iterable[Event]) -> list[Event]:
    """The events, newest first, with wrong tries in a row as one; each entry counts in one event."""
    found: list[Event] = []
    for event in events:
        if found and _is_of_row(found[-1], event):
            found[-1] = replace(found[-1], times=found[-1].times + 1)
        else:
            found.append(event)
    return found


def _is_of_row(last: Event, event: Event) -> bool:
    """Whether a wrong try came right before those that `last` stands for: same kind, same browser."""
    if last.action != event.action or event.action != AuditAction.SIGN_IN_FAILED:
        return False
    place = last.details.get("tries")
    if not isinstance(place, int):
        return False
    return event.details == {**last.details, "tries": place - last.times}


def _ids(session: Session, account_id: str, before: int | None) -> list[int]:
    """The IDs of what a page is made of, and one more where there are more."""
    place: ColumnElement[int] = AuditEntry.id.expression
    of: tuple[ColumnElement[bool] | TextClause, ...] = (IS_OF_ACCOUNTS, CONCERNED.bool_op("=")(account_id))
    if session.connection().dialect.name == "postgresql":
        # Behind the fences its index answers only through this; see app_fence.py.
        place, of = _EVENT.c.id, (_EVENT.c.account_id == account_id,)
    wanted = select(place).where(*of)
    if before is not None:
        wanted = wanted.where(place < before)
    return list(session.scalars(wanted.order_by(place.desc()).limit(READ + 1)))


def _names(session: Session, ids: set[str]) -> dict[str | None, str]:
    wanted = select(App.id, App.name).where(App.id.in_(sorted(ids)))
    return {row.id: row.name for row in session.execute(wanted)} if ids else {}
