"""What was a number sent and guessed lately? Reads and writes its tally, whose row is the number's lock.

The row knows its number by a hash alone (PII-06). While a rotation of the hashing key is under way a number
has a row for each version: all of them are locked, the oldest first, read together and written alike. So no
limit begins anew, neither by a rotation nor when the older version is taken away.
"""

from typing import Any

from sqlalchemy import Executable, bindparam, select, update

from portal.core import limits, number_hashes
from portal.core.limits import Tally
from portal.models import INSERT, PhoneNumberLimit, table
from portal.services.context import Context

_LIMIT = table(PhoneNumberLimit)
_IN_APP = _LIMIT.c.app_id == bindparam("app")
_HERE = (_IN_APP, _LIMIT.c.number_hash == bindparam("hash"))
_EACH = (_IN_APP, _LIMIT.c.number_hash.in_(bindparam("hashes", expanding=True)))
_TIMES = (_LIMIT.c.sent_times, _LIMIT.c.failed_guess_times)
_LOOK = select(*_TIMES).where(*_HERE)
_LOOK_AT_EACH = select(*_TIMES).where(*_EACH)
_LOCK = _LOOK.with_for_update()
_WRITTEN: dict[str, Any] = {
    "sent_times": bindparam("sent"),
    "failed_guess_times": bindparam("failed"),
    "touched_at": bindparam("now"),
    "key_version": bindparam("newest"),
}
_WRITE = update(_LIMIT).where(*_HERE).values(_WRITTEN)
_WRITE_EACH = update(_LIMIT).where(*_EACH).values(_WRITTEN)


def _adding(insert: Any) -> Executable:
    # Somebody else may add the row at the same moment: one waits for the other, and both get the one row.
    touched = {"touched_at": insert.excluded.touched_at}
    found: Executable = insert.on_conflict_do_update(set_=touched, index_elements=_KEY).returning(*_TIMES)
    return found


_KEY = [_LIMIT.c.app_id, _LIMIT.c.number_hash]
_ADD = {name: _adding(insert(_LIMIT)) for name, insert in INSERT.items()}


def lock(ctx: Context, phone_number: str) -> Tally:
    """The tally of a number, locked until the transaction ends.

    Whoever changes what a number is sent, guessed or held by takes this lock first, so two such changes of
    one number never run at once (OTP-16, ABU-07). Locks are taken in the order number, verification, user.
    """
    found = number_hashes.limit_hashes(ctx.keys, ctx.app_id, phone_number)
    if len(found) > 1:
        return _add(ctx, found)
    row = ctx.execute(_LOCK, {"app": ctx.app_id, "hash": found[0][1]}).first()
    return _add(ctx, found) if row is None else _tally(row)


def lock_new(ctx: Context, phone_number: str) -> Tally:
    """The same, for a number that this app mostly meets for the first time: one statement, not two."""
    return _add(ctx, number_hashes.limit_hashes(ctx.keys, ctx.app_id, phone_number))


def look(ctx: Context, phone_number: str) -> Tally:
    """The tally of a number as it is now, for showing; nothing is locked."""
    hashes = [each for _version, each in number_hashes.limit_hashes(ctx.keys, ctx.app_id, phone_number)]
    rows = ctx.execute(_LOOK_AT_EACH, {"app": ctx.app_id, "hashes": hashes})
    return limits.together([_tally(row) for row in rows])


def write(ctx: Context, phone_number: str, tally: Tally) -> None:
    """Stores a tally whose number this transaction has locked."""
    found = number_hashes.limit_hashes(ctx.keys, ctx.app_id, phone_number)
    values = {
        "app": ctx.app_id,
        "sent": limits.write_times(tally.sent),
        "failed": limits.write_times(tally.failed_guesses),
        "now": ctx.now,
        "newest": found[-1][0],
    }
    if len(found) == 1:
        ctx.add(_WRITE, values | {"hash": found[0][1]})
    else:
        ctx.execute(_WRITE_EACH, values | {"hashes": [each for _version, each in found]})


def newest_hash(ctx: Context, phone_number: str) -> str:
    """What the newest key knows a number by."""
    return number_hashes.limit_hashes(ctx.keys, ctx.app_id, phone_number)[-1][1]


def only_key(ctx: Context) -> int | None:
    """The version of the hashing key while there is only one; None while a rotation is under way.

    With it a statement may find and lock a number's row by a hash that it was written beside. A row that
    somebody with a newer key has written is not found that way, so the older version's is locked first.
    """
    found = ctx.keys.hashing.all()
    return found[0][0] if len(found) == 1 else None


def is_whole(ctx: Context, phone_number: str, hidden: str) -> bool:
    """Whether the row with this hash is the number's whole tally, and no row of a key that is gone."""
    found = number_hashes.limit_hashes(ctx.keys, ctx.app_id, phone_number)
    return [each for _version, each in found] == [hidden]


def _add(ctx: Context, found: list[tuple[int, str]]) -> Tally:
    name = ctx.session.get_bind().dialect.name
    nothing = {"app_id": ctx.app_id, "touched_at": ctx.now, "sent_times": "", "failed_guess_times": ""}
    rows = [nothing | {"number_hash": each, "key_version": version} for version, each in found]
    if len(rows) == 1:
        return _tally(ctx.execute(_ADD[name], rows[0]).one())
    # What an older row says is not in the newer one before it is written, so each keeps its own version.
    statement = _adding(INSERT[name](_LIMIT).values(rows))
    return limits.together([_tally(row) for row in ctx.execute(statement, {})])


def _tally(found: Any) -> Tally:
    return Tally(limits.read_times(found.sent_times), limits.read_times(found.failed_guess_times))
