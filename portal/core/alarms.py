"""What needs an operator, and from when on? Alarms, their levels and what raises them (OPS-02)."""

from enum import StrEnum
from typing import Final

from portal.core.closed_list import ClosedList
from portal.core.limits import DEFAULT, HOUR, SECOND

# How often a worker says that it is alive, and after how many missed times it is taken for dead (ms).
BEAT_EVERY: Final = 5 * SECOND
DEAD_AFTER: Final = 3 * BEAT_EVERY
# How long a message may be due before anybody is told, and before somebody is called (ms).
STALL_WARNS_AFTER: Final = 30 * SECOND
STALL_PAGES_AFTER: Final = 120 * SECOND
# After so many failures in a row a carrier is paused (delivery/breaker.py), and said to be.
CARRIER_FAILS_AT: Final = 5
# How many messages may wait; at the second figure an app takes on no more (DEL-09).
BACKLOG_WARNS_AT: Final = 25_000
BACKLOG_PAGES_AT: Final = DEFAULT.most_waiting
# How long after the last message was set aside its app's alarm stands (ms).
DEAD_TOLD_FOR: Final = HOUR
# How long after another server of the database took over its alarm stands (ms).
SWITCH_TOLD_FOR: Final = HOUR


class Level(StrEnum):
    """How bad it is. `over` stands on an alarm that is over and whose end was not told yet."""

    WARN = "warn"
    PAGE = "page"
    OVER = "over"


class AlarmName(ClosedList):
    """Every alarm, with a sentence for operators."""

    WORKER_STALLED = (
        "worker_stalled",
        "Messages wait and are not sent: the worker stands still or is too slow.",
    )
    WORKER_DEAD = "worker_dead", "No worker is alive: start `portal worker`, or look why it ended."
    PROVIDER_PAUSED = (
        "provider_paused",
        "A carrier failed again and again, or refuses an app's account, and is paused.",
    )
    BACKLOG = "backlog", "Very many messages wait: start more workers, or look at the carriers."
    MESSAGES_DEAD = (
        "messages_dead",
        "Messages of an app were set aside after their last try: its Messages page says why.",
    )
    DATABASE_SWITCHED = (
        "database_switched",
        "Another server of the database took over: all open codes were voided, for it may lack their uses.",
    )
    CODES_SPRAYED = (
        "codes_sprayed",
        "Nearly all codes of an app are wrong: somebody tries many numbers. They are checked slowly.",
    )
    AUDIT_TAMPERED = (
        "audit_tampered",
        "An audit log is not as it was written: `portal audit verify APPID`, then `portal audit restart`.",
    )
    JOB_FAILED = "job_failed", "A periodic job failed; it is tried again. The log says where."


def of_wait(waited: int | None) -> Level | None:
    """What the time (ms) since the oldest due message was due calls for; None where none is due."""
    if waited is None or waited <= STALL_WARNS_AFTER:
        return None
    return Level.PAGE if waited > STALL_PAGES_AFTER else Level.WARN


def of_backlog(waiting: int) -> Level | None:
    """What so many waiting messages call for."""
    if waiting < BACKLOG_WARNS_AT:
        return None
    return Level.PAGE if waiting >= BACKLOG_PAGES_AT else Level.WARN
