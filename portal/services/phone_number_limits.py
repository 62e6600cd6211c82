"""What was a number sent and guessed lately? Reads and writes its tally, whose row is the number's lock."""

from typing import Any

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.core import limits
from portal.core.limits import Tally
from portal.models import PhoneNumberLimit, table
from portal.services.context import Context

_LIMIT = table(PhoneNumberLimit)
_HERE = (_LIMIT.c.app_id == bindparam("app"), _LIMIT.c.phone_number == bindparam("number"))
_LOOK = select(_LIMIT.c.sent_times, _LIMIT.c.failed_guess_times).where(*_HERE)
_LOCK = _LOOK.with_for_update()
_WRITE = (
    update(_LIMIT)
    .where(*_HERE)
    .values(sent_times=bindparam("sent"), failed_guess_times=bindparam("failed"), touched_at=bindparam("now"))
)
_TIMES = (_LIMIT.c.sent_times, _LIMIT.c.failed_guess_times)


def _add(insert: Any) -> Executable:
    # Somebody else may add the row at the same moment: one waits for the other, and both get the one row.
    touched = {"touched_at": insert.excluded.touched_at}
    found: Executable = insert.on_conflict_do_update(set_=touched, index_elements=_KEY).returning(*_TIMES)
    return found


_KEY = [_LIMIT.c.app_id, _LIMIT.c.phone_number]
_ADD = {"postgresql": _add(postgresql.insert(_LIMIT)), "sqlite": _add(sqlite.insert(_LIMIT))}


def lock(ctx: Context, phone_number: str) -> Tally:
    """The tally of a number, locked until the transaction ends.

    Whoever changes what a number is sent, guessed or held by takes this lock first, so two such changes of
    one number never run at once (OTP-16, ABU-07). Locks are taken in the order number, verification, user.
    """
    return _read(ctx, _LOCK, phone_number) or lock_new(ctx, phone_number)


def lock_new(ctx: Context, phone_number: str) -> Tally:
    """The same, for a number that this app mostly meets for the first time: one statement, not two."""
    row = {"app_id": ctx.app_id, "phone_number": phone_number, "touched_at": ctx.now}
    add = _ADD[ctx.session.get_bind().dialect.name]
    return _tally(ctx.execute(add, row | {"sent_times": "", "failed_guess_times": ""}).one())


def look(ctx: Context, phone_number: str) -> Tally:
    """The tally of a number as it is now, for showing; nothing is locked."""
    return _read(ctx, _LOOK, phone_number) or Tally()


def write(ctx: Context, phone_number: str, tally: Tally) -> None:
    """Stores a tally whose number this transaction has locked."""
    values = {
        "app": ctx.app_id,
        "number": phone_number,
        "sent": limits.write_times(tally.sent),
        "failed": limits.write_times(tally.failed_guesses),
        "now": ctx.now,
    }
    ctx.add(_WRITE, values)


def _read(ctx: Context, statement: Executable, phone_number: str) -> Tally | None:
    found = ctx.execute(statement, {"app": ctx.app_id, "number": phone_number}).first()
    return None if found is None else _tally(found)


def _tally(found: Any) -> Tally:
    return Tally(limits.read_times(found.sent_times), limits.read_times(found.failed_guess_times))
