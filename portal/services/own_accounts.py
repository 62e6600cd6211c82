"""What does a person do to their own account? A new password, and the end of sign-ins (WEB-01, WEB-09)."""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.errors import NotFound
from portal.models import Account, AccountSession, AuditAction, PasswordReset, random_id
from portal.services import audit
from portal.services.context import Context
from portal.services.sessions import IDLE, LONGEST


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser that is signed in. Times in Unix ms; `user_agent` is what the browser says of itself."""

    id: str
    user_agent: str
    created_at: int
    last_seen_at: int


def sign_ins(session: Session, account_id: str, now: int) -> list[SignIn]:
    """The browsers that an account is signed in with, the one that was used last first."""
    rows = session.execute(
        select(
            AccountSession.id,
            AccountSession.user_agent,
            AccountSession.created_at,
            AccountSession.last_seen_at,
        )
        .where(AccountSession.account_id == account_id)
        .where(AccountSession.last_seen_at > now - IDLE, AccountSession.created_at > now - LONGEST)
        .order_by(AccountSession.last_seen_at.desc(), AccountSession.id)
    )
    return [SignIn(*row) for row in rows]


def end_sign_in(ctx: Context, sign_in_id: str) -> None:
    """Signs the account of `ctx` out of one browser. Raises NotFound when it is not theirs or over."""
    gone = ctx.session.scalar(
        delete(AccountSession)
        .where(AccountSession.account_id == ctx.caller.id, AccountSession.id == sign_in_id)
        .returning(AccountSession.id)
        .execution_options(synchronize_session=False)
    )
    if gone is None:
        raise NotFound("sign_in", "This browser was signed out meanwhile.")
    audit.record(ctx, AuditAction.SIGN_INS_ENDED, details={"sign_ins": 1})


def end_all_sign_ins(ctx: Context) -> int:
    """Signs the account of `ctx` out everywhere; returns of how many browsers."""
    gone = _end_all(ctx.session, ctx.caller.id or "")
    audit.record(ctx, AuditAction.SIGN_INS_ENDED, details={"sign_ins": gone, "everywhere": True})
    return gone


def change_password(ctx: Context, password_hash: str) -> str:
    """Gives the account of `ctx` a new password, which signs it out everywhere (WEB-01).

    Returns the word by which the browser that did it may sign in again at once.
    """
    account = ctx.session.get_one(Account, ctx.caller.id)
    replace_password(ctx.session, account, password_hash)
    audit.record(ctx, AuditAction.ACCOUNT_PASSWORD_CHANGED)
    return account.fs_uniquifier


def replace_password(session: Session, account: Account, password_hash: str) -> None:
    """Sets a password: every sign-in ends, and no link that was mailed before opens anything."""
    account.password, account.fs_uniquifier = password_hash, random_id()
    session.flush()
    _end_all(session, account.id)
    session.execute(
        delete(PasswordReset)
        .where(PasswordReset.account_id == account.id)
        .execution_options(synchronize_session=False)
    )


def _end_all(session: Session, account_id: str) -> int:
    gone = session.scalars(
        delete(AccountSession)
        .where(AccountSession.account_id == account_id)
        .returning(AccountSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
