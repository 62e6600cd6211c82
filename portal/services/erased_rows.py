"""Which rows hold something of a user, or of a number? They are found and removed here, and nowhere else.

Every statement keeps to tables and columns that were there from the first schema on, because a restore erases
in the schema of its backup. Locks are taken in the order number, verification, user.
"""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import Connection, TableClause, and_, column, delete, inspect, or_, select, union, update

from portal.core import number_hashes
from portal.keys import Keys
from portal.models import (
    BearerToken,
    IdempotencyKey,
    Message,
    PhoneNumberLimit,
    User,
    Verification,
    table,
)
from portal.services import emptied_entries

_USER, _VERIFICATION, _MESSAGE = table(User), table(Verification), table(Message)
_TOKEN, _LIMIT, _ANSWER = table(BearerToken), table(PhoneNumberLimit), table(IdempotencyKey)
# As it was up to schema 0007.
_OLD_LIMIT = TableClause(_LIMIT.name, column("app_id"), column("phone_number"))
# What belongs to one user, by the name under which a receipt counts it; what points at others comes first.
_OF_USER = {
    "answers": _ANSWER,
    "messages": _MESSAGE,
    "verifications": _VERIFICATION,
    "tokens": _TOKEN,
}

Counts = Counter[str]


def numbers_of(connection: Connection, app_id: str, user_id: str) -> set[str]:
    """Every number that is known of a user: in force, pending, and those that codes were sent to."""
    here = (_USER.c.app_id == app_id, _USER.c.id == user_id)
    found = union(
        select(_USER.c.phone_number).where(*here),
        select(_USER.c.pending_phone_number).where(*here),
        *(
            select(each.c.phone_number).where(each.c.app_id == app_id, each.c.user_id == user_id)
            for each in (_VERIFICATION, _MESSAGE)
        ),
    )
    return {number for number in connection.scalars(found) if number}


def numbers_in(connection: Connection, app_id: str) -> set[str]:
    """Every number that an app knows."""
    columns = (_USER.c.phone_number, _USER.c.pending_phone_number)
    others = [each.c.phone_number for each in (_VERIFICATION, _MESSAGE)]
    found = union(*(select(each).where(each.table.c.app_id == app_id) for each in (*columns, *others)))
    return {number for number in connection.scalars(found) if number}


def lock(connection: Connection, keys: Keys, app_id: str, numbers: Collection[str]) -> None:
    """Keeps others from texting these numbers, and from guessing their codes, till the transaction ends."""
    if connection.dialect.name == "sqlite":
        # What is deleted from here on is overwritten too, and not only marked as free.
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    # Where a number has two rows the older version's is locked first, as phone_number_limits.py does it.
    for hashes in _hashes(keys, app_id, numbers):
        its = and_(_LIMIT.c.app_id == app_id, _LIMIT.c.number_hash.in_(hashes))
        connection.execute(
            select(_LIMIT.c.number_hash).where(its).order_by(_LIMIT.c.number_hash).with_for_update()
        )


def remove_user(
    connection: Connection, keys: Keys, app_id: str, user_id: str, *, is_restored: bool = False
) -> Counts:
    """Removes a user with all that is theirs, and what audit entries tell of them beside the deed itself.

    `is_restored` is for the rows of a backup, which holds no stored answers. Without such a user the count of
    `users` is 0.
    """
    counts: Counts = Counter()
    for name, its in _OF_USER.items():
        if name != "answers" or not is_restored:
            theirs = delete(its).where(its.c.app_id == app_id, its.c.user_id == user_id)
            counts[name] = connection.execute(theirs).rowcount
    empty = emptied_entries.empty_restored if is_restored else emptied_entries.empty
    counts["auditDetails"] = empty(connection, keys.audit, app_id, user_id)
    gone = connection.execute(delete(_USER).where(_USER.c.app_id == app_id, _USER.c.id == user_id))
    counts["users"] = gone.rowcount
    return counts


def remove_limits(connection: Connection, keys: Keys, app_id: str, numbers: Collection[str]) -> Counts:
    """Removes what these numbers were sent and guessed lately; counts the numbers that this was known of."""
    counts = [0]
    for hashes in _hashes(keys, app_id, numbers):
        gone = delete(_LIMIT).where(_LIMIT.c.app_id == app_id, _LIMIT.c.number_hash.in_(hashes))
        counts.append(connection.execute(gone).rowcount)
    return Counter({"numberLimits": max(counts)})


def remove_restored_limits(connection: Connection, keys: Keys, app_id: str, numbers: Collection[str]) -> None:
    """The same in a restored copy, in whose schema limits may know numbers as they are."""
    if "number_hash" in {each["name"] for each in inspect(connection).get_columns(_LIMIT.name)}:
        remove_limits(connection, keys, app_id, numbers)
    else:
        its = (_OLD_LIMIT.c.app_id == app_id, _OLD_LIMIT.c.phone_number.in_(numbers))
        connection.execute(delete(_OLD_LIMIT).where(*its))


def _hashes(keys: Keys, app_id: str, numbers: Collection[str]) -> list[list[str]]:
    """What the limits of these numbers are known by: a list for each version, the oldest first."""
    found = [number_hashes.limit_hashes(keys, app_id, each) for each in sorted(numbers)]
    return [[each for _version, each in of_version] for of_version in zip(*found, strict=False)]


def owners_of(connection: Connection, app_id: str, number: str, until: int) -> list[str]:
    """The users who are nobody without this number: they proved it, or have nothing else to be known by.

    Whoever got it after `until` (Unix ms) is somebody else, whom the number belongs to by now.
    """
    is_theirs = or_(
        and_(_USER.c.phone_number_verified.is_(True), _USER.c.phone_number_verified_at <= until),
        and_(_USER.c.login_name.is_(None), _USER.c.email_address.is_(None), _USER.c.created_at <= until),
    )
    found = select(_USER.c.id).where(_USER.c.app_id == app_id, _USER.c.phone_number == number, is_theirs)
    return list(connection.scalars(found.order_by(_USER.c.id)))


def forget_number(
    connection: Connection, keys: Keys, app_id: str, number: str, until: int, *, is_restored: bool = False
) -> Counts:
    """Takes a number out of everything else: from users who only claim it, and what was sent to it."""
    counts: Counts = Counter()
    empty = emptied_entries.empty_restored if is_restored else emptied_entries.empty
    for name, its in (("messages", _MESSAGE), ("verifications", _VERIFICATION)):
        # Tests that members of the team sent to their own numbers have no user, and are not an end user's.
        sent = and_(its.c.app_id == app_id, its.c.phone_number == number, its.c.user_id.is_not(None))
        users = connection.scalars(select(its.c.user_id).where(sent).distinct()).all()
        counts[name] = connection.execute(delete(its).where(sent, its.c.created_at <= until)).rowcount
        counts["auditDetails"] += sum(empty(connection, keys.audit, app_id, user_id) for user_id in users)
    return counts + _drop_claims(connection, app_id, number, until)


def _drop_claims(connection: Connection, app_id: str, number: str, until: int) -> Counts:
    claimed = and_(_USER.c.app_id == app_id, _USER.c.phone_number == number, _USER.c.modified_at <= until)
    wanted = and_(
        _USER.c.app_id == app_id, _USER.c.pending_phone_number == number, _USER.c.pending_since <= until
    )
    nothing = {"phone_number": None, "phone_country": None, "phone_number_verified": False}
    no_change = {"pending_phone_number": None, "pending_since": None, "pending_until": None}
    claims = connection.execute(update(_USER).where(claimed).values(nothing)).rowcount
    changes = connection.execute(update(_USER).where(wanted).values(no_change)).rowcount
    return Counter({"claims": claims + changes})
