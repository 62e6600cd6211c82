"""Does an app have too many messages waiting to take on more? Then it is told to come back later (DEL-09).

Only the app's own messages count, so a crowd in one app shuts no other one out. A few messages that wait for
a carrier that is down are no crowd: those are for the alarm, and their users may ask again.
"""

import threading
from typing import Final

from sqlalchemy import ColumnElement, Select, bindparam, literal_column, select

from portal.core.limits import SECOND
from portal.core.reasons import Reason
from portal.errors import Busy
from portal.models import Message, MessageState, table
from portal.services.context import Context

# An answer is good for so long (ms), so that the crowd itself is not counted for each of its members.
GOOD_FOR: Final = SECOND
COME_BACK_AFTER_S: Final = 15
_MOST_KEPT: Final = 10_000

_M = table(Message)
_UNDER_WAY: list[ColumnElement[str]] = [
    literal_column(f"'{state.value}'") for state in (MessageState.QUEUED, MessageState.SENDING)
]


def refuse_when_crowded(ctx: Context) -> None:
    """Raises Busy while the app of `ctx` has as many messages waiting, or for as long, as its profile allows.

    The check reads an index and, for one app, happens once in a second in each process.
    """
    if _CROWDED.is_crowded(ctx):
        reason = Reason.TOO_MANY_WAITING
        raise Busy(f"{reason.sentence} Try again later.", COME_BACK_AFTER_S, reason=reason)


class _Recent:
    """What was found lately, by app."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, tuple[int, bool]] = {}

    def is_crowded(self, ctx: Context) -> bool:
        """Whether the app is crowded, as of a second ago at most."""
        known = self._found.get(ctx.app_id)
        if known is not None and 0 <= ctx.now - known[0] < GOOD_FOR:
            return known[1]
        found = _is_crowded(ctx)
        with self._lock:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
            self._found[ctx.app_id] = (ctx.now, found)
        return found


_CROWDED: Final = _Recent()


def _is_crowded(ctx: Context) -> bool:
    profile = ctx.profile
    late_since = ctx.now - profile.longest_backlog
    late = {"app": ctx.app_id, "by": late_since, "skipped": profile.least_backlog - 1}
    if ctx.scalar(_NTH_DUE, late) is not None:
        return True
    all_of_them = {"app": ctx.app_id, "skipped": profile.most_waiting - 1}
    return ctx.scalar(_NTH, all_of_them) is not None


def _nth(*also: ColumnElement[bool]) -> Select[int]:
    """The row that is there when there are so many, found by walking the index of turns."""
    return (
        select(_M.c.due_at)
        .where(_M.c.app_id == bindparam("app"), _M.c.state.in_(_UNDER_WAY), *also)
        .order_by(_M.c.due_at)
        .limit(1)
        .offset(bindparam("skipped"))
    )


_NTH = _nth()
_NTH_DUE = _nth(_M.c.due_at <= bindparam("by"))
