"""Which browsers are signed in? Rows behind the portal's session cookie (WEB-01, WEB-02)."""

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from portal.models import AccountSession
from portal.services.tokens import hashed

MINUTE = 60_000
IDLE = 30 * MINUTE
LONGEST = 12 * 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Kept:
    """What a live session holds. Times in Unix ms."""

    values: dict[str, object]
    last_seen_at: int


def read(session: Session, key: str, now: int) -> Kept | None:
    """What is kept under a cookie's key; None when it is unknown, ended, idle for 30 min or 12 h old."""
    found = session.execute(
        select(AccountSession.values, AccountSession.last_seen_at)
        .where(AccountSession.key_hash == hashed(key))
        .where(AccountSession.last_seen_at > now - IDLE, AccountSession.created_at > now - LONGEST)
    ).first()
    return None if found is None else Kept(found[0], found[1])


def open_new(session: Session, values: dict[str, object], account_id: str | None, now: int) -> str:
    """A new session; returns the key for its cookie, of which only a hash is kept."""
    key = secrets.token_urlsafe(32)
    session.execute(
        insert(AccountSession).values(
            key_hash=hashed(key), account_id=account_id, values=values, created_at=now, last_seen_at=now
        )
    )
    return key


def write(session: Session, key: str, values: dict[str, object], account_id: str | None, now: int) -> bool:
    """Keeps new values and notes that the session was used; False when it was ended meanwhile."""
    kept = session.scalar(
        update(AccountSession)
        .where(AccountSession.key_hash == hashed(key))
        .values(values=values, account_id=account_id, last_seen_at=now)
        .returning(AccountSession.key_hash)
    )
    return kept is not None


def end(session: Session, key: str) -> None:
    """Ends a session for good; its cookie opens nothing any more."""
    session.execute(delete(AccountSession).where(AccountSession.key_hash == hashed(key)))


def purge(session: Session, now: int) -> None:
    """Removes sessions that are too idle or too old. A periodic job's verb."""
    session.execute(
        delete(AccountSession).where(
            or_(AccountSession.last_seen_at <= now - IDLE, AccountSession.created_at <= now - LONGEST)
        )
    )
