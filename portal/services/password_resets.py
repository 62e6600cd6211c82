"""May whoever holds this link set a new password? One use, 30 minutes (WEB-07, ENU-05)."""

import hashlib
import hmac
import secrets
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from portal import clock
from portal.errors import NotFound, TooSoon
from portal.models import Account, AuditAction, PasswordReset
from portal.services import attempt_tallies, audit, own_accounts
from portal.services.attempt_tallies import Tried
from portal.services.context import Context
from portal.services.tokens import hashed

LIFE: Final = 30 * clock.MINUTE
# In place of a key for whoever gets none; as long as one, and it opens nothing.
NO_KEY: Final = "0" * 43
UNUSABLE: Final = "This link cannot be used. It was used, it is too old, or a newer one was sent."


def ask(ctx: Context, address: str) -> str | None:
    """The key of a link for the account with this address, in place of an earlier one; None sends none.

    None is for an address without an account, and for one that was asked for too often: nobody is told which.
    """
    try:
        attempt_tallies.take(ctx, Tried.RESET, address)
    except TooSoon:
        return None
    # An address without an account costs the same: its link is of nobody, and opens nothing (ENU-02).
    known = ctx.session.scalar(
        select(Account.id).where(Account.email == address.strip().lower(), Account.active)
    )
    key, account_id = secrets.token_urlsafe(32), known or _nobody(ctx, address)
    _drop(ctx.session, account_id)
    row = {"key_hash": hashed(key), "account_id": account_id, "expires_at": ctx.now + LIFE}
    ctx.session.execute(insert(PasswordReset).values(row))
    return key if known else None


def look_at(session: Session, key: str, now: int) -> Account:
    """The account that a link is for. Raises NotFound, alike for every link that opens nothing."""
    found = session.scalar(
        select(Account)
        .join(PasswordReset, PasswordReset.account_id == Account.id)
        .where(PasswordReset.key_hash == hashed(key), PasswordReset.expires_at > now, Account.active)
    )
    if found is None:
        raise NotFound("password_reset", UNUSABLE)
    return found


def use(ctx: Context, key: str, password_hash: str) -> Account:
    """Sets a new password, which signs the account out everywhere; the link is used up in the same statement.

    It proves the address only, so whoever has a second factor is asked for it at the next sign-in. Raises
    NotFound as `look_at` does.
    """
    account_id = ctx.session.scalar(
        delete(PasswordReset)
        .where(PasswordReset.key_hash == hashed(key), PasswordReset.expires_at > ctx.now)
        .returning(PasswordReset.account_id)
        .execution_options(synchronize_session=False)
    )
    account = ctx.session.get(Account, account_id) if account_id else None
    if account is None or not account.active:
        raise NotFound("password_reset", UNUSABLE)
    own_accounts.replace_password(ctx.session, account, password_hash)
    attempt_tallies.forgive(ctx, Tried.PASSWORD, account.email)
    audit.record(ctx.by_account(account.id), AuditAction.ACCOUNT_PASSWORD_RESET)
    return account


def _nobody(ctx: Context, address: str) -> str:
    """An account that is not there, the same for the same address, as long as the id of one that is."""
    typed = address.strip().lower().encode("utf-8", "surrogatepass")
    return hmac.new(ctx.keys.audit, b"nobody:" + typed, hashlib.sha256).hexdigest()[:32]


def _drop(session: Session, account_id: str) -> None:
    session.execute(
        delete(PasswordReset)
        .where(PasswordReset.account_id == account_id)
        .execution_options(synchronize_session=False)
    )
