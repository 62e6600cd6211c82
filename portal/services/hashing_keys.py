"""Which hashing keys are in use, and when may an old one go? For rotation (PII-06)."""

from typing import Final

from sqlalchemy import select

from portal import clock
from portal.core import limits, number_hashes
from portal.models import AttemptTally, AuditAction, Erasure, PhoneNumberLimit
from portal.services import audit
from portal.services.context import Context

# So long (ms) backups are kept, and a number that was erased must not come back out of one (PII-05).
BACKUPS_KEPT: Final = 35 * clock.DAY


def note_added(ctx: Context, version: int) -> None:
    """Records that a hashing key was added to the key file (PII-07)."""
    audit.record(ctx, AuditAction.HASHING_KEY_ADDED, details={"version": version})


def note_removed(ctx: Context, versions: set[int]) -> None:
    """Records that hashing keys are taken out of the key file, where any is (PII-07)."""
    if versions:
        audit.record(ctx, AuditAction.HASHING_KEYS_REMOVED, details={"versions": sorted(versions)})


def versions_in_use(ctx: Context) -> set[int]:
    """The versions by which something is known that is not known by a newer one.

    Those are numbers whose limits nobody has asked for since the rotation (for a day), tries (for an hour),
    and numbers that were erased while backups are kept in which they stand.
    """
    day_ago = ctx.now - limits.DAY
    numbers = select(PhoneNumberLimit.key_version).where(PhoneNumberLimit.touched_at > day_ago).distinct()
    tries = select(AttemptTally.key_version).where(AttemptTally.ends_at > ctx.now).distinct()
    erased = select(Erasure.number_hashes).where(Erasure.erased_at > ctx.now - BACKUPS_KEPT)
    found = {*ctx.session.scalars(numbers), *ctx.session.scalars(tries)} - {None}
    hashed = {number_hashes.version_of(each) for told in ctx.session.scalars(erased) for each in told}
    return {version for version in found if version is not None} | hashed - {number_hashes.FIRST}
