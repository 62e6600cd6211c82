"""Who is erased from an app, and who was? Erases, keeps what a restore needs, and replays it (PII-05).

What is kept is a row of hashes in the database, and the same as a line of a journal beside it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, inspect, select

from portal.core import number_hashes
from portal.core.erasures import Erased
from portal.errors import NotFound
from portal.keys import Keys
from portal.models import App, AuditAction, Erasure, ErasureKind, random_id, table
from portal.services import audit, erased_rows
from portal.services.context import Context
from portal.services.erased_rows import Counts

_E = table(Erasure)
_COLUMNS = [_E.c[name] for name in Erased.__slots__]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure removed, in counts; it names nobody. `erased_at` is in Unix ms."""

    id: str
    app_id: str
    erased_at: int
    removed: dict[str, int]


def erase_user(
    ctx: Context,
    user_id: str,
    reason: str | None = None,
    *,
    action: AuditAction = AuditAction.USER_ERASED,
    forgets_limits: bool = True,
) -> Receipt:
    """Removes a user with everything that is theirs, at once. Raises NotFound.

    Where users erase themselves `forgets_limits` is False: what their numbers were sent and guessed stays for
    its day, or else whoever signs up and erases in turns would be sent codes without end (ABU-07).
    """
    connection = ctx.session.connection()
    numbers = lock_numbers_of(ctx, user_id)
    removed = erased_rows.remove_user(connection, ctx.keys, ctx.app_id, user_id)
    if not removed["users"]:
        raise NotFound("user", "There is no such user.", field="userID", value=user_id)
    if forgets_limits:
        removed += erased_rows.remove_limits(connection, ctx.keys, ctx.app_id, numbers)
    receipt = _keep(ctx, ErasureKind.USER, user_id, numbers, removed)
    audit.record(ctx, action, user_id, {"erasure": receipt.id, "removed": receipt.removed}, reason)
    return receipt


def lock_numbers_of(ctx: Context, user_id: str) -> set[str]:
    """Every number of a user, locked till the transaction ends; whoever locks the user too does so later."""
    connection = ctx.session.connection()
    numbers = erased_rows.numbers_of(connection, ctx.app_id, user_id)
    erased_rows.lock(connection, ctx.keys, ctx.app_id, numbers)
    return numbers


def erase_number(ctx: Context, e164: str, reason: str | None = None) -> Receipt:
    """Removes a number from an app: with the users who are nobody without it, and from all others.

    It is on record afterwards even where nothing was found, so that no backup brings it back. Raises NotFound
    when somebody else erased one of those users at the same moment.
    """
    connection = ctx.session.connection()
    owners = erased_rows.owners_of(connection, ctx.app_id, e164, ctx.now)
    others = (erased_rows.numbers_of(connection, ctx.app_id, each) for each in owners)
    erased_rows.lock(connection, ctx.keys, ctx.app_id, {e164}.union(*others))
    removed: Counts = Counter()
    for user_id in owners:
        removed += Counter(erase_user(ctx, user_id, reason).removed)
    removed += erased_rows.forget_number(connection, ctx.keys, ctx.app_id, e164, ctx.now)
    removed += erased_rows.remove_limits(connection, ctx.keys, ctx.app_id, {e164})
    receipt = _keep(ctx, ErasureKind.NUMBER, None, {e164}, removed)
    details = {"erasure": receipt.id, "removed": receipt.removed}
    audit.record(ctx, AuditAction.NUMBER_ERASED, None, details, reason)
    return receipt


def found(connection: Connection, since: int = 0) -> list[Erased]:
    """The erasures on record from `since` (Unix ms) on, the oldest first; none in an older schema."""
    if not inspect(connection).has_table(_E.name):
        return []
    rows = connection.execute(
        select(*_COLUMNS).where(_E.c.erased_at >= since).order_by(_E.c.erased_at, _E.c.id)
    )
    return [
        Erased(row.id, row.app_id, row.kind, row.user_id, tuple(row.number_hashes), row.erased_at)
        for row in rows
    ]


def replay(
    connection: Connection, told: Iterable[Erased], keys: Keys, *, is_restored: bool = True
) -> list[Erased]:
    """Erases once more whom a database brought back; returns the erasures that it did not know.

    `keys` are those that numbers were hashed with; a hash by one that is gone matches nobody. An erasure that
    is on record was done in this database.
    `is_restored` is False for a database that serves; a restored copy may be of an older schema.
    """
    known = {each.id for each in found(connection)}
    new = {each.id: each for each in told if each.id not in known}
    by_app: dict[str, list[Erased]] = defaultdict(list)
    for each in sorted(new.values(), key=lambda each: each.erased_at):
        by_app[each.app_id].append(each)
    for app_id, its in by_app.items():
        _replay_in_app(connection, app_id, its, keys, is_restored)
    return list(new.values())


def note(connection: Connection, told: Collection[Erased]) -> int:
    """Puts erasures on record that are not yet, of apps that are there; returns how many.

    A schema of before erasures has no such record.
    """
    if not inspect(connection).has_table(_E.name):
        return 0
    known = {each.id for each in found(connection)}
    apps = set(connection.scalars(select(table(App).c.id)))
    rows = [_row(each) for each in told if each.id not in known and each.app_id in apps]
    if rows:
        connection.execute(insert(_E), rows)
    return len(rows)


def _replay_in_app(
    connection: Connection, app_id: str, its: list[Erased], keys: Keys, is_restored: bool
) -> None:
    wanted = {each for one in its for each in one.number_hashes}
    known = number_hashes.erasure_keys(keys)
    versions = {number_hashes.version_of(each) for each in wanted} & set(known)
    numbers = {
        hidden: number
        for number in erased_rows.numbers_in(connection, app_id)
        for version in versions
        if (hidden := number_hashes.hidden_by(known, version, app_id, number)) in wanted
    }
    for each in its:
        if each.user_id is not None:
            erased_rows.remove_user(connection, keys, app_id, each.user_id, is_restored=is_restored)
        there = {numbers[hidden] for hidden in each.number_hashes if hidden in numbers}
        for number in there if each.is_of_number else ():
            for user_id in erased_rows.owners_of(connection, app_id, number, each.erased_at):
                erased_rows.remove_user(connection, keys, app_id, user_id, is_restored=is_restored)
            erased_rows.forget_number(
                connection, keys, app_id, number, each.erased_at, is_restored=is_restored
            )
        if is_restored:
            erased_rows.remove_restored_limits(connection, keys, app_id, there)
        else:
            erased_rows.remove_limits(connection, keys, app_id, there)


def _keep(
    ctx: Context, kind: ErasureKind, user_id: str | None, numbers: Collection[str], removed: Counts
) -> Receipt:
    hashes = sorted(number_hashes.erasure_hash(ctx.keys, ctx.app_id, each) for each in numbers)
    erased = Erased(random_id(), ctx.app_id, kind, user_id, tuple(hashes), ctx.now)
    ctx.session.connection().execute(insert(_E), _row(erased))
    return Receipt(erased.id, ctx.app_id, ctx.now, {name: count for name, count in removed.items() if count})


def _row(erased: Erased) -> dict[str, object]:
    row = {name: getattr(erased, name) for name in Erased.__slots__}
    return row | {"number_hashes": list(erased.number_hashes)}
