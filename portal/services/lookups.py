"""Where is that user? Read-only search for the portal's users page and the REST user query."""

import base64
import binascii
import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, false, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.core import search_terms
from portal.core.search_terms import LONGEST, Meaning
from portal.errors import BadInput
from portal.models import User

PAGE = 50
# A whole national number is picked from all numbers that end in it; no more than these ever do.
_MOST_ALIKE = 1_000
_END_OF_TEXT = "\U0010fffe"
# From so many characters on a term finds few users; sorting them costs less than walking all in order.
_NARROW_FROM = {
    Meaning.PHONE_NUMBER: 8,
    Meaning.PHONE_NUMBER_ENDING: 3,
    Meaning.EMAIL: 3,
    Meaning.NAME: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is wanted: a term as somebody typed it, and filters; None means both."""

    text: str = ""
    verified: bool | None = None
    pending: bool | None = None
    disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of users, newest first; `next` is the key of the following stretch, None at the end."""

    users: list[User]
    next: str | None
    understood: str


def search(
    session: Session, app_id: str, wanted: Search, after: str | None, now: int, limit: int = PAGE
) -> Page:
    """One page of an app's users. Keyset paging: page 1,000 costs what page 1 costs.

    Raises BadInput for a page key that was not ours.
    """
    term = search_terms.understand(wanted.text)
    created_at = _to_sort_by(term)
    query = (
        select(User)
        .where(User.app_id == app_id, _matches(term), *_filters(wanted, now))
        .order_by(created_at.desc(), User.id.desc())
        .limit(_MOST_ALIKE if _is_whole_ending(term) else limit + 1)
    )
    if after:
        query = query.where(tuple_(created_at, User.id) < tuple_(*_read_key(after)))
    users = _exact(term, list(session.scalars(query)))
    more = users[limit - 1] if len(users) > limit else None
    return Page(users[:limit], _write_key(more) if more else None, term.sentence)


def _is_whole_ending(term: search_terms.Term) -> bool:
    return term.meaning is Meaning.PHONE_NUMBER_ENDING and term.is_whole_number


def _exact(term: search_terms.Term, users: list[User]) -> list[User]:
    """Without those who only have a longer number that ends in the whole one which was typed."""
    if not _is_whole_ending(term):
        return users
    return [
        user
        for user in users
        if search_terms.is_number(user.phone_number, term.value)
        or search_terms.is_number(user.pending_phone_number, term.value)
    ]


def _to_sort_by(term: search_terms.Term) -> ColumnElement[int]:
    # SQLite keeps no statistics by itself and would walk all users in order rather than sort the few that
    # a term finds. The sum is no column of an index, so the term's own index is used.
    is_narrow = len(term.value) >= _NARROW_FROM.get(term.meaning, LONGEST + 1)
    return User.created_at + 0 if is_narrow else User.created_at.expression


def _matches(term: search_terms.Term) -> ColumnElement[bool]:
    if term.meaning is Meaning.EVERYBODY:
        return User.id.is_not(None)
    if term.meaning is Meaning.USER_ID:
        return User.id == term.value
    if term.meaning is Meaning.PHONE_NUMBER and term.is_whole_number:
        # Without statistics, SQLite walks a whole app for two equalities, and takes both indexes for ranges.
        return or_(
            User.phone_number.between(term.value, term.value),
            User.pending_phone_number.between(term.value, term.value),
        )
    if term.meaning is Meaning.PHONE_NUMBER:
        return or_(
            _begins(User.phone_number, term.value),
            _begins(User.pending_phone_number, term.value),
        )
    if term.meaning is Meaning.PHONE_NUMBER_ENDING:
        return or_(
            _begins(User.phone_number_reversed, term.value[::-1]),
            _begins(User.pending_phone_number_reversed, term.value[::-1]),
        )
    if term.meaning is Meaning.EMAIL:
        return _begins(User.email_address, term.value.lower())
    if term.meaning is Meaning.NAME:
        return or_(_begins(User.login_name, term.value), User.display_name == term.value)
    return false()


def _begins(column: InstrumentedAttribute[str | None], value: str) -> ColumnElement[bool]:
    # A range, because LIKE on a bound value leaves the index unused on both databases.
    return and_(column >= value, column < value + _END_OF_TEXT)


def _filters(wanted: Search, now: int) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.verified is not None:
        conditions.append(User.phone_number_verified.is_(wanted.verified))
    if wanted.verified is False:
        conditions.append(User.phone_number.is_not(None))
    if wanted.pending is not None:
        is_pending = and_(User.pending_phone_number.is_not(None), User.pending_until > now)
        conditions.append(is_pending if wanted.pending else ~is_pending)
    if wanted.disabled is not None:
        conditions.append(User.disabled.is_(wanted.disabled))
    return conditions


def _write_key(user: User) -> str:
    return base64.urlsafe_b64encode(json.dumps([user.created_at, user.id]).encode()).decode().rstrip("=")


def _read_key(key: str) -> tuple[int, str]:
    try:
        created_at, user_id = json.loads(base64.urlsafe_b64decode(key.encode() + b"==="))
        # Half of a surrogate pair can be in JSON but in no database; it cannot be encoded.
        str(user_id).encode()
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise BadInput(
            "after", "This page key is not one of ours. Start again from the first page."
        ) from None
    if type(created_at) is not int or type(user_id) is not str or abs(created_at) > 2**62 or "\0" in user_id:
        raise BadInput("after", "This page key is not one of ours. Start again from the first page.")
    return created_at, user_id
