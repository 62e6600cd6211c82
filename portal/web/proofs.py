"""Did somebody prove who they are? Passwords, checked outside any transaction and counted before it."""

from flask import current_app

from portal.database import reading, transaction
from portal.models import Account, ActorKind
from portal.services import accounts, attempt_tallies
from portal.services.attempt_tallies import Tried
from portal.services.context import Caller

LONGEST_PASSWORD = 1024


def password_of(address: str, typed: str) -> Account | None:
    """The account whose address and password these are; None for every other pair, alike (ENU-05).

    Raises TooSoon after too many wrong ones for an address, whether it has an account or not, and Busy.
    """
    parts = current_app.extensions["ringback"]
    with transaction() as session:
        attempt_tallies.take(parts.context(session, Caller(ActorKind.SYSTEM)), Tried.PASSWORD, address)
    account = accounts.find(reading(), address) if _plausible(address) else None
    stored = account.password if account is not None and account.active else None
    if not parts.hasher.check(stored, typed[:LONGEST_PASSWORD]).right:
        return None
    with transaction() as session:
        attempt_tallies.forgive(parts.context(session, Caller(ActorKind.SYSTEM)), Tried.PASSWORD, address)
    return account


def _plausible(address: str) -> bool:
    # PostgreSQL cannot compare with NUL, and no encoding carries a lone surrogate.
    return len(address) <= 254 and address.isprintable()
