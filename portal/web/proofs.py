"""Did somebody prove who they are? Passwords, codes and passkeys; what can be guessed is counted first."""

from flask import current_app
from sqlalchemy.orm import Session

from portal.database import reading, transaction
from portal.models import Account, ActorKind
from portal.services import accounts, attempt_tallies, passkeys, second_factors, sign_ins
from portal.services.attempt_tallies import Tried
from portal.services.context import Caller, Context
from portal.web import passkey_places

LONGEST_PASSWORD = 1024


def password_of(address: str, typed: str) -> Account | None:
    """The account whose address and password these are; None for every other pair, alike (ENU-05).

    Raises TooSoon after too many wrong ones for an address, whether it has an account or not, and Busy.
    """
    with transaction() as session:
        tries = attempt_tallies.take(_context(session), Tried.PASSWORD, address)
    account = accounts.find(reading(), address) if _plausible(address) else None
    stored = account.password if account is not None and account.active else None
    hasher = current_app.extensions["ringback"].hasher
    if not hasher.check(stored, typed[:LONGEST_PASSWORD]).right:
        with transaction() as session:
            sign_ins.failed(_context(session), account, address, tries)
        return None
    with transaction() as session:
        attempt_tallies.forgive(_context(session), Tried.PASSWORD, address)
    return account


def code_of(account_id: str, typed: str) -> bool:
    """Whether `typed` is a code of the account's authenticator app, or a recovery code. Raises TooSoon."""
    with transaction() as session:
        tries = attempt_tallies.take(_context(session), Tried.SECOND_FACTOR, account_id)
    with transaction() as session:
        is_right = second_factors.spend(_context(session), account_id, typed)
        if is_right:
            attempt_tallies.forgive(_context(session), Tried.SECOND_FACTOR, account_id)
        else:
            sign_ins.failed_second_step(_context(session), account_id, tries)
    return is_right


def passkey_of(answer: str, *, alone: bool) -> Account | None:
    """The account whose passkey signed this session's challenge, which is used up by it.

    `alone`, it stands for the password too, and its authenticator must know its person.
    """
    place = passkey_places.spent()
    with transaction() as session:
        account_id = passkeys.use(_context(session), answer, place, alone=alone)
    account = reading().get(Account, account_id) if account_id else None
    return account if account is not None and account.active else None


def _context(session: Session) -> Context:
    made: Context = current_app.extensions["ringback"].context(session, Caller(ActorKind.SYSTEM))
    return made


def _plausible(address: str) -> bool:
    # PostgreSQL cannot compare with NUL, and no encoding carries a lone surrogate.
    return len(address) <= 254 and address.isprintable()
