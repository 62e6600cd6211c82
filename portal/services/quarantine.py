"""May messages leave? Not from a restored copy before an operator has looked at it (DAT-05)."""

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.orm import Session

from portal.core.lifecycle import Event, State, after
from portal.core.reasons import Reason
from portal.models import Account, Message, MessageState, PasswordReset, Quarantine, Verification


def find(session: Session) -> Quarantine | None:
    """The quarantine that this database is in; None for one that sends."""
    return session.scalar(select(Quarantine))


def is_on(session: Session) -> bool:
    """Whether nothing may be sent."""
    return session.scalar(select(Quarantine.id)) is not None


def begin(connection: Connection, backup_at: int, now: int) -> dict[str, int]:
    """Ends what was open in a database restored from a backup of `backup_at`, and keeps all else back.

    A code may have been used since, and a message sent: none of them counts again. Returns how many
    verifications and messages were ended. Times in Unix ms.
    """
    ended = end_open(connection, now)
    messages = connection.execute(
        update(Message)
        .where(Message.state.in_([MessageState.QUEUED, MessageState.SENDING]))
        .values(state=MessageState.EXPIRED, reason=Reason.NO_LONGER_NEEDED, lease=None, ended_at=now)
    )
    connection.execute(insert(Quarantine).values(id=1, since=now, backup_at=backup_at))
    return ended | {"messages": messages.rowcount}


def end_open(connection: Connection, now: int) -> dict[str, int]:
    """Ends every code and every mailed link, of users and of accounts, where uses of them may be forgotten.

    Whoever still wants one asks anew. Returns how many verifications were ended.
    """
    codes = connection.execute(
        update(Verification)
        .where(Verification.state == State.OPEN)
        .values(state=after(State.OPEN, Event.EXPIRE), ended_at=now)
    )
    connection.execute(
        update(Account)
        .where(Account.confirmation_id.is_not(None))
        .values(confirmation_id=None, confirmation_number=None, confirmation_expires_at=None)
    )
    connection.execute(delete(PasswordReset))
    return {"verifications": codes.rowcount}


def open_up(session: Session) -> bool:
    """Lets messages leave again; whether they were kept back."""
    return session.scalar(delete(Quarantine).returning(Quarantine.id)) is not None
