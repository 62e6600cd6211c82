"""Does an app need a person now? Its carriers that fail, and the alarms of the installation (look: Frame)."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Boolean, Row, String, bindparam, literal, null, or_, select, union_all
from sqlalchemy.orm import Session

from portal.core import pauses
from portal.core.alarms import AlarmName, Level
from portal.core.pauses import Cause
from portal.models import Alarm, App, AppMode, Provider, table
from portal.services.app_modes import OWN_CARRIERS

# What stands still for everybody. The rest of the alarms is the operator's own.
_OF_EVERYBODY: Final = (AlarmName.WORKER_DEAD, AlarmName.WORKER_STALLED, AlarmName.BACKLOG)
_OF_ONE_APP: Final = (AlarmName.AUDIT_TAMPERED, AlarmName.CODES_SPRAYED, AlarmName.MESSAGES_DEAD)
_SHOWN: Final = (*_OF_EVERYBODY, *_OF_ONE_APP)
_MILD: Final = {AlarmName.BACKLOG, *_OF_ONE_APP}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that needs a person. `provider` is the label of the one that it is about, where it is.

    `name` is an alarm's, or `no_provider`. `is_bad` where SMS do not leave at all because of it, or somebody
    has been where nobody may be.
    """

    name: str
    is_bad: bool
    provider_id: str | None = None
    provider: str | None = None
    # The one that takes over meanwhile.
    instead: str | None = None
    # Why it is paused, and whether no other one is on.
    cause: Cause | None = None
    is_alone: bool = False


def of(session: Session, app: App) -> list[Trouble]:
    """What needs a person in an app, the worst first. One statement over the keys of two small tables."""
    rows = session.connection().execute(_ROWS, {"the_app": app.id}).all()
    alarms = {row.key: row.word for row in rows if row.is_alarm}
    found = [_of_alarm(name, alarms[name]) for name in _SHOWN if name in alarms]
    if app.mode == AppMode.LIVE:
        found += _of_providers([row for row in rows if not row.is_alarm and row.is_on], app)
    return sorted(found, key=lambda each: not each.is_bad)


def _of_alarm(name: str, level: str) -> Trouble:
    return Trouble(name, is_bad=name not in _MILD or level == Level.PAGE)


def _of_providers(on: list[Row[Any]], app: App) -> list[Trouble]:
    if not on:
        # An app that prints its SMS to the terminal, while trying out, lacks nothing.
        return [Trouble("no_provider", is_bad=True)] if app.provider == OWN_CARRIERS else []
    well = next((row.word for row in on if row.paused_until is None), None)
    return [
        Trouble(
            AlarmName.PROVIDER_PAUSED,
            is_bad=well is None,
            provider_id=row.key,
            provider=row.word,
            instead=well,
            cause=pauses.cause(row.failures, row.reason),
            is_alone=len(on) == 1,
        )
        for row in on
        if row.paused_until is not None
    ]


_A, _P = table(Alarm), table(Provider)
_ROWS = union_all(
    select(
        literal(False, Boolean).label("is_alarm"),
        _P.c.id.label("key"),
        _P.c.label.label("word"),
        _P.c.is_on.label("is_on"),
        _P.c.paused_until.label("paused_until"),
        _P.c.failures_in_row.label("failures"),
        _P.c.last_failure_reason.label("reason"),
        _P.c.position.label("position"),
    ).where(_P.c.app_id == bindparam("the_app", type_=String)),
    select(
        literal(True, Boolean),
        _A.c.name,
        _A.c.level,
        literal(True, Boolean),
        null(),
        literal(0),
        null(),
        literal(0),
    ).where(
        or_(
            (_A.c.about == "") & _A.c.name.in_([each.value for each in _OF_EVERYBODY]),
            (_A.c.about == bindparam("the_app", type_=String))
            & _A.c.name.in_([each.value for each in _OF_ONE_APP]),
        ),
        _A.c.level != Level.OVER,
    ),
).order_by("position")
