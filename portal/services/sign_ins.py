"""Who signed in and out, and for which account was something wrong given? On record (PII-07, WEB-09).

`browser` is words of ours for the browser and machine that asked, never what it says of itself. Where it was
is on no record: addresses of sources are kept nowhere (README, "What is kept").
"""

import hashlib
import hmac
from dataclasses import dataclass

from portal.models import Account, AuditAction
from portal.services import audit
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class Try:
    """One try that proved nothing: by which browser, and its place in a row where tries are counted."""

    browser: str
    tries: int | None = None


def succeeded(ctx: Context, browser: str, proof: str) -> None:
    """Records that the account of `ctx` signed in, and by what: "password and code"."""
    audit.record(ctx, AuditAction.SIGNED_IN, details={"browser": browser, "by": proof})


def ended(ctx: Context, browser: str) -> None:
    """Records that the account of `ctx` signed this browser out."""
    audit.record(ctx, AuditAction.SIGNED_OUT, details={"browser": browser})


def confirmed(ctx: Context, browser: str) -> None:
    """Records that the account of `ctx`, signed in for a while, proved itself once more."""
    audit.record(ctx, AuditAction.CONFIRMED, details={"browser": browser})


def failed(ctx: Context, account: Account | None, address: str, wrong: Try) -> None:
    """Records a wrong password for an address, of which no word is kept as it was typed.

    Where it has no account, a keyed hash tells tries for one address from tries for many.
    """
    typed = address.strip().lower().encode("utf-8", "surrogatepass")
    hashed = hmac.new(ctx.keys.audit, b"address:" + typed, hashlib.sha256).hexdigest()[:16]
    _record(ctx, {"account_id": account.id} if account else {"address_hash": hashed}, wrong)


def failed_second_step(ctx: Context, account_id: str, wrong: Try) -> None:
    """Records a wrong code for an account whose password, or session, was right."""
    _record(ctx, {"account_id": account_id, "second_factor": True}, wrong)


def failed_passkey(ctx: Context, account_id: str | None, wrong: Try) -> None:
    """Records a passkey that proved nothing, for the account that it belongs to, or was to belong to."""
    whose = {} if account_id is None else {"account_id": account_id}
    _record(ctx, whose | {"passkey": True}, wrong)


def _record(ctx: Context, told: dict[str, object], wrong: Try) -> None:
    how = {"browser": wrong.browser} | ({} if wrong.tries is None else {"tries": wrong.tries})
    audit.record(ctx, AuditAction.SIGN_IN_FAILED, details=told | how)
