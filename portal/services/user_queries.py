"""Which users does an administrator ask for over REST? The contract's user query (b.2)."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, true, tuple_

from portal.errors import BadInput
from portal.models import User
from portal.services import beginnings
from portal.services.context import Context
from portal.services.lookup_walks import begins

MOST = 200
DEEPEST = 10
# Every clause nests the SQL a little deeper, and SQLite takes a thousand levels.
MOST_CLAUSES = 100
_COLUMNS = {
    "userID": User.id,
    "loginName": User.login_name,
    "emailAddress": User.email_address,
    "phoneNumber": User.phone_number,
    "phoneNumberVerified": User.phone_number_verified,
    "displayName": User.display_name,
    "country": User.country,
    "locale": User.locale,
    "createdAt": User.created_at,
    "modifiedAt": User.modified_at,
    "_created": User.created_at,
    "_modified": User.modified_at,
    "_disabled": User.disabled,
}
# Those with an index that looks up beginnings, too.
_SORTED_BY_CODE_POINT = frozenset({"loginName", "emailAddress", "phoneNumber"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UserQuery:
    """What the body of a query asks for; shapes were not checked yet. `limit` is the bestEffortLimit."""

    clause: object
    order_by: str | None = None
    descending: bool = False
    limit: int = MOST
    pagination_key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One stretch of users; `next_key` is None on the last page."""

    users: list[User]
    next_key: str | None


def run(ctx: Context, wanted: UserQuery) -> Answer:
    """Answers a query. Raises BadInput, naming the part, for what it does not understand.

    Paging is by key on (the ordering column, user ID). A user without a value in the ordering column sorts
    as if it were empty.
    """
    beginnings.plan_anew(ctx.session)
    if _count(wanted.clause) > MOST_CLAUSES:
        raise BadInput("clause", f"A query has at most {MOST_CLAUSES} clauses.")
    limit = min(wanted.limit, MOST) if wanted.limit > 0 else MOST
    name = wanted.order_by or "_created"
    if name not in _COLUMNS:
        raise BadInput("orderBy", f"orderBy must be one of {', '.join(_COLUMNS)}.")
    column: Any = _sortable(_COLUMNS[name])
    query = select(User, column.label("place")).where(User.app_id == ctx.app_id, _clause(wanted.clause, 0))
    if wanted.pagination_key:
        place = tuple_(*_read_key(wanted.pagination_key, name))
        here = tuple_(column, User.id)
        query = query.where(here < place if wanted.descending else here > place)
    order = (column.desc(), User.id.desc()) if wanted.descending else (column, User.id)
    rows = ctx.session.execute(query.order_by(*order).limit(limit + 1)).all()
    users = [row[0] for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return Answer(users, _write_key(name, last[1], last[0].id) if last is not None else None)


def _sortable(column: Any) -> Any:
    # NULL sorts first on one database and last on the other, and belongs to no keyset page at all.
    if not column.nullable:
        return column
    return func.coalesce(column, "")


def _count(clause: object, depth: int = 0) -> int:
    """How many clauses a query has; what is nested too deep counts once and is refused by `_clause`."""
    if not isinstance(clause, dict) or depth > DEEPEST:
        return 1
    inner = clause.get("clauses")
    parts = [*(inner if isinstance(inner, list) else []), *([clause["clause"]] if "clause" in clause else [])]
    return 1 + sum(_count(part, depth + 1) for part in parts)


def _clause(clause: object, depth: int) -> ColumnElement[bool]:
    """One clause of the contract's query language: all, eq, in, prefix, range, and, or, not, hasField."""
    if depth > DEEPEST or not isinstance(clause, dict):
        raise BadInput("clause", f"A clause must be an object, nested {DEEPEST} deep at most.")
    kind = clause.get("type")
    if kind == "all":
        return true()
    if kind in ("and", "or"):
        parts = [_clause(part, depth + 1) for part in _list_of(clause, "clauses")]
        return and_(*parts) if kind == "and" else or_(*parts)
    if kind == "not":
        return not_(_clause(clause.get("clause"), depth + 1))
    if kind in ("eq", "in", "prefix", "range", "hasField"):
        return _comparison(str(kind), clause)
    raise BadInput("clause", "A clause's type must be all, eq, in, prefix, range, hasField, and, or, or not.")


def _comparison(kind: str, clause: dict[str, object]) -> ColumnElement[bool]:
    column = _column(clause)
    if kind == "hasField":
        return column.is_not(None)  # type: ignore[no-any-return]
    if kind == "eq":
        return column == _value(column, clause.get("value"))  # type: ignore[no-any-return]
    if kind == "in":
        return column.in_([_value(column, value) for value in _list_of(clause, "values")])  # type: ignore[no-any-return]
    if kind == "prefix":
        prefix = _value(column, clause.get("prefix"))
        if not isinstance(prefix, str):
            raise BadInput("prefix", "A prefix must be a text.")
        if clause["field"] in _SORTED_BY_CODE_POINT:
            return begins(column, prefix)
        # A database may sort the others by the rules of a language, where a range is no beginning.
        return func.substr(column, 1, len(prefix)) == prefix
    return _range(column, clause)


def _range(column: Any, clause: dict[str, object]) -> ColumnElement[bool]:
    if column.type.python_type is bool:
        raise BadInput("field", f"A range of {clause['field']} makes no sense: it is true or false.")
    bounds: list[ColumnElement[bool]] = []
    if "lowerLimit" in clause:
        lower = _value(column, clause["lowerLimit"])
        bounds.append(column >= lower if clause.get("lowerIncluded", True) else column > lower)
    if "upperLimit" in clause:
        upper = _value(column, clause["upperLimit"])
        bounds.append(column <= upper if clause.get("upperIncluded", True) else column < upper)
    if not bounds:
        raise BadInput("clause", "A range needs a lowerLimit or an upperLimit.")
    return and_(*bounds)


def _column(clause: dict[str, object]) -> Any:
    name = clause.get("field")
    if not isinstance(name, str) or name not in _COLUMNS:
        raise BadInput("field", f"field must be one of {', '.join(_COLUMNS)}.")
    return _COLUMNS[name]


def _value(column: Any, value: object) -> object:
    wanted = column.type.python_type
    if type(value) is not wanted or (isinstance(value, int) and abs(value) >= 2**63):
        raise BadInput("value", f"The value for {column.key} must be of type {wanted.__name__}.")
    if isinstance(value, str) and not _can_be_stored(value):
        raise BadInput("value", "Text cannot hold NUL or half of a surrogate pair.")
    return value


def _can_be_stored(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _list_of(clause: dict[str, object], name: str) -> list[object]:
    found = clause.get(name)
    if not isinstance(found, list) or not 1 <= len(found) <= MOST:
        raise BadInput(name, f"{name} must be a list of 1 to {MOST}.")
    return found


def _write_key(name: str, place: object, user_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, place, user_id]).encode()).decode().rstrip("=")


def _read_key(key: str, name: str) -> tuple[object, str]:
    refusal = BadInput("paginationKey", "This paginationKey does not belong to this query.")
    try:
        ordered_by, place, user_id = json.loads(base64.urlsafe_b64decode(key.encode() + b"==="))
        # Half of a surrogate pair can be in JSON but in no database; it cannot be encoded.
        f"{place}{user_id}".encode()
    except (ValueError, TypeError, RecursionError):
        raise refusal from None
    column = _COLUMNS[name]
    if ordered_by != name or type(user_id) is not str or type(place) is not column.type.python_type:
        raise refusal
    if "\0" in user_id or (isinstance(place, int) and abs(place) >= 2**63) or "\0" in str(place):
        raise refusal
    return place, user_id
