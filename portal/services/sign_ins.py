"""Who signed in, and for which account were wrong passwords and codes given? On record (PII-07, WEB-09)."""

import hashlib
import hmac

from portal.models import Account, AuditAction
from portal.services import audit
from portal.services.context import Context


def succeeded(ctx: Context) -> None:
    """Records that the account of `ctx` signed in."""
    audit.record(ctx, AuditAction.SIGNED_IN)


def failed(ctx: Context, account: Account | None, address: str, tries: int) -> None:
    """Records the `tries`th wrong password in a row for an address, of which no word is kept as it was typed.

    Where it has no account, a keyed hash tells tries for one address from tries for many.
    """
    typed = address.strip().lower().encode("utf-8", "surrogatepass")
    hashed = hmac.new(ctx.keys.audit, b"address:" + typed, hashlib.sha256).hexdigest()[:16]
    who = {"account_id": account.id} if account else {"address_hash": hashed}
    audit.record(ctx, AuditAction.SIGN_IN_FAILED, details=who | {"tries": tries})


def failed_second_step(ctx: Context, account_id: str, tries: int) -> None:
    """Records the `tries`th wrong code in a row for an account whose password, or session, was right."""
    told = {"account_id": account_id, "second_factor": True, "tries": tries}
    audit.record(ctx, AuditAction.SIGN_IN_FAILED, details=told)
