"""What else than the password proves an account? An authenticator app, passkeys, recovery codes (WEB-09)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from portal.core import recovery_codes, sealing, totp
from portal.errors import NotFound, NothingToVerify, WrongPassword
from portal.models import INSERT, AuditAction, Passkey, RecoveryCode, Totp
from portal.services import audit
from portal.services.context import Context

WRONG_CODE = "This code is wrong, or was used already. Wait for the next one."


@dataclass(frozen=True, slots=True)
class Factors:
    """The second factors of an account, and how many recovery codes are left."""

    has_app: bool
    passkeys: Sequence[Passkey]
    codes_left: int

    @property
    def count(self) -> int:
        """How many there are; recovery codes only stand in for one."""
        return len(self.passkeys) + self.has_app

    def __bool__(self) -> bool:
        return self.count > 0


def of(session: Session, account_id: str) -> Factors:
    """The second factors of an account."""
    app = select(Totp.account_id).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None))
    passkeys = select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.created_at)
    codes = select(func.count()).where(RecoveryCode.account_id == account_id)
    return Factors(
        has_app=session.scalar(app) is not None,
        passkeys=list(session.scalars(passkeys)),
        codes_left=session.scalar(codes) or 0,
    )


def begin_app(ctx: Context) -> None:
    """Makes a key for the authenticator app of the account of `ctx`, in place of one never confirmed.

    An app that is in use stays: it must be removed first. Raises NothingToVerify then.
    """
    account_id = ctx.caller.id or ""
    ctx.session.execute(delete(Totp).where(Totp.account_id == account_id, Totp.confirmed_at.is_(None)))
    in_use = select(Totp.account_id).where(Totp.account_id == account_id, Totp.confirmed_at.is_not(None))
    if ctx.session.scalar(in_use) is not None:
        raise NothingToVerify("An authenticator app is set up already. Remove it first.")
    sealed = sealing.pack(ctx.keys.sealing, totp.new_key(), sealing.about_totp(account_id))
    add = INSERT[ctx.session.get_bind().dialect.name](Totp)
    # Who begins twice at the same moment gets one key, which waits for both.
    row = {"account_id": account_id, "sealed": sealed, "last_step": 0}
    ctx.session.execute(add.values(row).on_conflict_do_nothing())


def app_key(ctx: Context) -> bytes:
    """The key that waits to be confirmed. Raises NothingToVerify when none does."""
    return _key(ctx, _waiting(ctx))


def confirm_app(ctx: Context, typed: str) -> list[str]:
    """Takes the app into use once it showed the right code; returns recovery codes where these are the first.

    Raises WrongPassword for a wrong code, and NothingToVerify.
    """
    row = _waiting(ctx)
    step = totp.step_of(_key(ctx, row), _bare(typed), ctx.now, 0)
    confirmed = step is not None and ctx.session.scalar(
        update(Totp)
        # Who began anew meanwhile has another key in its place, whose code nobody typed.
        .where(Totp.account_id == row.account_id, Totp.sealed == row.sealed, Totp.confirmed_at.is_(None))
        .values(confirmed_at=ctx.now, last_step=step)
        .returning(Totp.account_id)
    )
    if not confirmed:
        raise WrongPassword(WRONG_CODE)
    audit.record(ctx, AuditAction.AUTHENTICATOR_ADDED)
    return first_codes(ctx)


def remove_app(ctx: Context) -> None:
    """Takes the authenticator app away. Raises NotFound when there is none."""
    gone = ctx.session.scalar(delete(Totp).where(Totp.account_id == ctx.caller.id).returning(Totp.account_id))
    if gone is None:
        raise NotFound("authenticator", "There is no authenticator app.")
    audit.record(ctx, AuditAction.AUTHENTICATOR_REMOVED)
    drop_codes_without_factor(ctx)


def spend(ctx: Context, account_id: str, typed: str) -> bool:
    """Whether `typed` is the app's code or a recovery code of an account; either is taken only once."""
    bare = _bare(typed)
    if len(bare) == totp.DIGITS and bare.isdecimal():
        return _spend_app_code(ctx, account_id, bare)
    spent = ctx.session.scalar(
        delete(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.code_hash == recovery_codes.hashed(bare))
        .returning(RecoveryCode.account_id)
        .execution_options(synchronize_session=False)
    )
    if spent:
        audit.record(ctx.by_account(account_id), AuditAction.RECOVERY_CODE_USED)
    return spent is not None


def renew_codes(ctx: Context) -> list[str]:
    """Ten new recovery codes; the old ones end. Raises NotFound where there is no factor to stand in for."""
    account_id = ctx.caller.id or ""
    if not of(ctx.session, account_id):
        raise NotFound("recovery_codes", "Add a second factor first; recovery codes stand in for it.")
    ctx.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = recovery_codes.new()
    rows = [{"account_id": account_id, "code_hash": recovery_codes.hashed(code)} for code in codes]
    ctx.session.execute(insert(RecoveryCode), rows)
    audit.record(ctx, AuditAction.RECOVERY_CODES_MADE)
    return codes


def first_codes(ctx: Context) -> list[str]:
    """Recovery codes for an account that has just got its first factor; none where it has some."""
    return [] if of(ctx.session, ctx.caller.id or "").codes_left else renew_codes(ctx)


def drop_codes_without_factor(ctx: Context) -> None:
    """Ends the recovery codes of an account whose last factor went: alone they prove nothing."""
    if not of(ctx.session, ctx.caller.id or ""):
        ctx.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == ctx.caller.id))


def _spend_app_code(ctx: Context, account_id: str, typed: str) -> bool:
    row = _totp(ctx.by_account(account_id), confirmed=True)
    step = totp.step_of(_key(ctx, row), typed, ctx.now, row.last_step) if row else None
    if step is None:
        return False
    # Of two who send the same code at once, one is too late.
    spent = ctx.session.scalar(
        update(Totp)
        .where(Totp.account_id == account_id, Totp.last_step < step)
        .values(last_step=step)
        .returning(Totp.account_id)
        .execution_options(synchronize_session=False)
    )
    return spent is not None


def _waiting(ctx: Context) -> Totp:
    row = _totp(ctx, confirmed=False)
    if row is None:
        raise NothingToVerify("No authenticator app waits to be set up. Begin again.")
    return row


def _totp(ctx: Context, *, confirmed: bool) -> Totp | None:
    is_confirmed = Totp.confirmed_at.is_not(None) if confirmed else Totp.confirmed_at.is_(None)
    return ctx.session.scalar(select(Totp).where(Totp.account_id == ctx.caller.id, is_confirmed))


def _key(ctx: Context, row: Totp) -> bytes:
    return sealing.unpack(ctx.keys.sealing, row.sealed, sealing.about_totp(row.account_id))


def _bare(typed: str) -> str:
    return "".join(char for char in typed[:100] if char.isalnum())
