"""Did somebody prove who they are? Passwords, codes and passkeys; what can be guessed is counted first."""

from sqlalchemy.orm import Session

from portal.database import reading, transaction
from portal.models import Account, ActorKind
from portal.services import accounts, attempt_tallies, passkeys, second_factors, sign_ins
from portal.services.attempt_tallies import Tried
from portal.services.context import Caller, Context
from portal.services.sign_ins import Try
from portal.web import browsers, passkey_places
from portal.web.parts import parts

LONGEST_PASSWORD = 1024


def password_of(address: str, typed: str) -> Account | None:
    """The account whose address and password these are; None for every other pair, alike (ENU-05).

    Raises TooSoon after too many wrong ones for an address, whether it has an account or not, and Busy.
    """
    with transaction() as session:
        tries = attempt_tallies.take(_context(session), Tried.PASSWORD, address)
    account = accounts.find(reading(), address) if _plausible(address) else None
    stored = account.password if account is not None and account.active else None
    hasher = parts().hasher
    if not hasher.check(stored, typed[:LONGEST_PASSWORD]).right:
        with transaction() as session:
            sign_ins.failed(_context(session), account, address, Try(browsers.of_request(), tries))
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
            wrong = Try(browsers.of_request(), tries)
            sign_ins.failed_second_step(_context(session), account_id, wrong)
    return is_right


def passkey_of(answer: str, *, alone: bool, account_id: str | None = None) -> Account | None:
    """The account whose passkey signed this session's challenge, which is used up by it.

    `alone`, it stands for the password too, and its authenticator must know its person. `account_id` says
    whose it has to be; then tries are counted like typed codes, and TooSoon is raised after too many.
    """
    place, tries = passkey_places.spent(), None
    if account_id is not None:
        with transaction() as session:
            tries = attempt_tallies.take(_context(session), Tried.SECOND_FACTOR, account_id)
    with transaction() as session:
        found = passkeys.use(_context(session), answer, place, alone=alone)
    account = reading().get(Account, found) if found else None
    is_right = account is not None and account.active and account_id in (None, account.id)
    with transaction() as session:
        ctx = _context(session)
        if not is_right:
            whose = account_id or passkeys.owner_of(ctx, answer)
            sign_ins.failed_passkey(ctx, whose, Try(browsers.of_request(), tries))
        elif account_id is not None:
            attempt_tallies.forgive(ctx, Tried.SECOND_FACTOR, account_id)
    return account if is_right else None


def _context(session: Session) -> Context:
    return parts().context(session, Caller(ActorKind.SYSTEM))


def _plausible(address: str) -> bool:
    # PostgreSQL cannot compare with NUL, and no encoding carries a lone surrogate.
    return len(address) <= 254 and address.isprintable()
