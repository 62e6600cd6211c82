"""Which browsers are signed in? Rows behind the portal's session cookie (WEB-01, WEB-02)."""

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from portal import clock
from portal.models import AccountSession, AttemptTally, Invite, PasswordReset
from portal.services.tokens import hashed

IDLE = 30 * clock.MINUTE
LONGEST = 12 * clock.HOUR
# How long a person counts as known after they proved who they are (WEB-09).
FRESH = 10 * clock.MINUTE
LONGEST_USER_AGENT = 300
_ENDS = (
    (Invite, Invite.expires_at),
    (PasswordReset, PasswordReset.expires_at),
    (AttemptTally, AttemptTally.ends_at),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A live session. Times in Unix ms; `confirmed_at` is when its person last proved who they are."""

    id: str
    values: dict[str, object]
    last_seen_at: int
    confirmed_at: int | None


def read(session: Session, key: str, now: int) -> Kept | None:
    """What is kept under a cookie's key; None when it is unknown, ended, idle for 30 min or 12 h old."""
    found = session.execute(
        select(
            AccountSession.id,
            AccountSession.values,
            AccountSession.last_seen_at,
            AccountSession.confirmed_at,
        )
        .where(AccountSession.key_hash == hashed(key))
        .where(AccountSession.last_seen_at > now - IDLE, AccountSession.created_at > now - LONGEST)
    ).first()
    return None if found is None else Kept(*found)


def open_new(
    session: Session, values: dict[str, object], account_id: str | None, now: int, user_agent: str = ""
) -> str:
    """A new session; returns the key for its cookie, of which only a hash is kept.

    With an account it begins with a sign-in, which proves who its person is (WEB-09).
    """
    key = secrets.token_urlsafe(32)
    session.execute(
        insert(AccountSession).values(
            key_hash=hashed(key),
            account_id=account_id,
            values=values,
            user_agent=user_agent[:LONGEST_USER_AGENT],
            created_at=now,
            last_seen_at=now,
            confirmed_at=now if account_id else None,
        )
    )
    return key


def confirm(session: Session, key: str, now: int) -> str | None:
    """Notes that the person of a session proved who they are; returns its new key (WEB-01, WEB-09).

    The old key opens nothing any more. None when the session was ended meanwhile.
    """
    fresh = secrets.token_urlsafe(32)
    confirmed = session.scalar(
        update(AccountSession)
        .where(AccountSession.key_hash == hashed(key), AccountSession.account_id.is_not(None))
        .values(key_hash=hashed(fresh), confirmed_at=now, last_seen_at=now)
        .returning(AccountSession.id)
    )
    return fresh if confirmed else None


def write(session: Session, key: str, values: dict[str, object], account_id: str | None, now: int) -> bool:
    """Keeps new values and notes that the session was used; False when it was ended meanwhile."""
    kept = session.scalar(
        update(AccountSession)
        .where(AccountSession.key_hash == hashed(key))
        .values(values=values, account_id=account_id, last_seen_at=now)
        .returning(AccountSession.key_hash)
    )
    return kept is not None


def end(session: Session, key: str) -> str | None:
    """Ends a session for good; its cookie opens nothing any more.

    Returns the account that was signed in; None for nobody, and where the session was ended already.
    """
    return session.scalar(
        delete(AccountSession)
        .where(AccountSession.key_hash == hashed(key))
        .returning(AccountSession.account_id)
        .execution_options(synchronize_session=False)
    )


def purge(session: Session, now: int) -> None:
    """Removes sessions too idle or too old, and links and counts whose time is over. A job's verb."""
    for model, end in _ENDS:
        session.execute(delete(model).where(end <= now))
    session.execute(
        delete(AccountSession).where(
            or_(AccountSession.last_seen_at <= now - IDLE, AccountSession.created_at <= now - LONGEST)
        )
    )
