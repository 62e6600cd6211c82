"""Which sealing keys are in use, and how does a row get the newest one? For rotation (OPS-05)."""

from typing import Final

from sqlalchemy import select, update

from portal.core import sealing
from portal.models import AuditAction, IdempotencyKey, Provider, Totp
from portal.services import audit
from portal.services.context import Context

CARRIERS: Final = "credentials of carriers"
AUTHENTICATORS: Final = "authenticator apps"
ANSWERS: Final = "answers kept for repeated calls (for a day)"
# What needs an old key no more once `reseal` was there.
RESEALED: Final = frozenset({CARRIERS, AUTHENTICATORS})


def reseal(ctx: Context) -> int:
    """Seals the credentials of every provider, and the key of every authenticator app, with the newest key.

    Returns how many were sealed with an older one. What somebody changes meanwhile stays as they sealed it.
    Raises BrokenSeal, having changed nothing, when a row does not open. Answers that are kept for idempotency
    stay as they are: they end within a day.
    """
    newest = max(ctx.keys.sealing)
    older = select(Provider.id, Provider.app_id, Provider.sealing_key_version, Provider.sealed).where(
        Provider.sealed.is_not(None), Provider.sealing_key_version != newest
    )
    providers = sum(
        _reseal(ctx, provider_id, app_id, version or 0, sealed or b"")
        for provider_id, app_id, version, sealed in ctx.session.execute(older).all()
    )
    apps = ctx.session.execute(select(Totp.account_id, Totp.sealed)).all()
    sealed = providers + sum(
        _reseal_app(ctx, account_id, packed)
        for account_id, packed in apps
        if sealing.packed_version(packed) != newest
    )
    audit.record(ctx, AuditAction.SEALING_KEY_USED, details={"version": newest, "secrets": sealed})
    return sealed


def note_added(ctx: Context, version: int) -> None:
    """Records that a sealing key was added to the key file (PII-07)."""
    audit.record(ctx, AuditAction.SEALING_KEY_ADDED, details={"version": version})


def note_removed(ctx: Context, versions: set[int]) -> None:
    """Records that sealing keys are taken out of the key file, where any is (PII-07)."""
    if versions:
        audit.record(ctx, AuditAction.SEALING_KEYS_REMOVED, details={"versions": sorted(versions)})


def needs(ctx: Context) -> dict[int, list[str]]:
    """What some row needs a sealing key for, to be opened, by the key's version."""
    providers = select(Provider.sealing_key_version).where(Provider.sealed.is_not(None)).distinct()
    answers = select(IdempotencyKey.answer).where(IdempotencyKey.answer.is_not(None))
    found = {
        CARRIERS: {version or 0 for version in ctx.session.scalars(providers)},
        AUTHENTICATORS: {sealing.packed_version(each) for each in ctx.session.scalars(select(Totp.sealed))},
        ANSWERS: {sealing.packed_version(each) for each in ctx.session.scalars(answers) if each},
    }
    versions = sorted(set().union(*found.values()))
    return {version: [need for need, those in found.items() if version in those] for version in versions}


def _reseal(ctx: Context, provider_id: str, app_id: str, version: int, sealed: bytes) -> int:
    about = sealing.about_provider(app_id, provider_id)
    plain = sealing.unseal(ctx.keys.sealing, version, sealed, about)
    newest, fresh = sealing.seal(ctx.keys.sealing, plain, about)
    changed = ctx.session.scalars(
        update(Provider)
        .where(Provider.id == provider_id, Provider.sealed == sealed)
        .values(sealed=fresh, sealing_key_version=newest)
        .returning(Provider.id)
        .execution_options(synchronize_session=False)
    )
    return len(changed.all())


def _reseal_app(ctx: Context, account_id: str, packed: bytes) -> int:
    about = sealing.about_totp(account_id)
    fresh = sealing.pack(ctx.keys.sealing, sealing.unpack(ctx.keys.sealing, packed, about), about)
    changed = ctx.session.scalars(
        update(Totp)
        .where(Totp.account_id == account_id, Totp.sealed == packed)
        .values(sealed=fresh)
        .returning(Totp.account_id)
        .execution_options(synchronize_session=False)
    )
    return len(changed.all())
