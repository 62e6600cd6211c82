"""What happened to an account lately? Its own sign-ins, proofs and memberships, newest first (PII-07)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, String, TextClause, column, select, table
from sqlalchemy.orm import Session

from portal.core.hidden_numbers import hide_all
from portal.models import CONCERNED, IS_OF_ACCOUNTS, App, AuditAction, AuditEntry, app_fence

PAGE: Final = 20
_EVENT = table(app_fence.EVENTS, column("id", BigInteger), column("account_id", String))


@dataclass(frozen=True, slots=True)
class Event:
    """One entry about an account. `at` is Unix ms; `is_own` is whether the account did it itself.

    `app` is the name of the app whose team it is about, where it is about one. `times` is how many entries
    it stands for: wrong tries in a row, by one browser, are one event, told by its last try.
    """

    id: int
    at: int
    action: str
    is_own: bool
    app: str | None
    details: Mapping[str, Any]
    times: int = 1


def page(
    session: Session, account_id: str, before: int | None = None, most: int = PAGE
) -> tuple[list[Event], int | None]:
    """What up to `most` entries below the ID `before` tell of one account, and below which ID the next are.

    They come from the log of the installation and from those of apps, by one index over both.
    """
    found = _ids(session, account_id, before, most)
    columns = (AuditEntry.id, AuditEntry.at, AuditEntry.action, AuditEntry.actor_id, AuditEntry.app_id)
    wanted = select(*columns, AuditEntry.details).where(AuditEntry.id.in_(found[:most]))
    shown = session.execute(wanted.order_by(AuditEntry.id.desc())).all()
    names = _names(session, {row.app_id for row in shown if row.app_id})
    events = [
        Event(
            row.id,
            row.at,
            row.action,
            row.actor_id == account_id,
            names.get(row.app_id),
            hide_all(row.details or {}),  # type: ignore[arg-type]
        )
        for row in shown
    ]
    return _told_once(events), shown[-1].id if len(found) > most else None


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


def _ids(session: Session, account_id: str, before: int | None, most: int) -> list[int]:
    """The IDs of a page of events, newest first, and one more where there are more."""
    place: ColumnElement[int] = AuditEntry.id.expression
    of: tuple[ColumnElement[bool] | TextClause, ...] = (IS_OF_ACCOUNTS, CONCERNED.bool_op("=")(account_id))
    if session.connection().dialect.name == "postgresql":
        # Behind the fences its index answers only through this; see app_fence.py.
        place, of = _EVENT.c.id, (_EVENT.c.account_id == account_id,)
    wanted = select(place).where(*of)
    if before is not None:
        wanted = wanted.where(place < before)
    return list(session.scalars(wanted.order_by(place.desc()).limit(most + 1)))


def _names(session: Session, ids: set[str]) -> dict[str | None, str]:
    wanted = select(App.id, App.name).where(App.id.in_(sorted(ids)))
    return {row.id: row.name for row in session.execute(wanted)} if ids else {}
