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
NUMBERS: Final = "limits of numbers (for a day)"
TRIES: Final = "counted tries (for an hour)"
ERASED: Final = "erased numbers (for 35 days)"
# Nothing is hashed anew: numbers themselves are not there.
RESEALED: Final = frozenset[str]()


def note_added(ctx: Context, version: int) -> None:
    """Records that a hashing key was added to the key file (PII-07)."""
    audit.record(ctx, AuditAction.HASHING_KEY_ADDED, details={"version": version})


def note_removed(ctx: Context, versions: set[int]) -> None:
    """Records that hashing keys are taken out of the key file, where any is (PII-07)."""
    if versions:
        audit.record(ctx, AuditAction.HASHING_KEYS_REMOVED, details={"versions": sorted(versions)})


def needs(ctx: Context) -> dict[int, list[str]]:
    """What a hashing key is needed for, by the key's version, that no newer one knows.

    Those are numbers whose limits nobody has asked for since the rotation, tries, and numbers that were
    erased while backups are kept in which they stand.
    """
    day_ago = ctx.now - limits.DAY
    numbers = select(PhoneNumberLimit.key_version).where(PhoneNumberLimit.touched_at > day_ago).distinct()
    tries = select(AttemptTally.key_version).where(AttemptTally.ends_at > ctx.now).distinct()
    erased = select(Erasure.number_hashes).where(Erasure.erased_at > ctx.now - BACKUPS_KEPT)
    hashed = {number_hashes.version_of(each) for told in ctx.session.scalars(erased) for each in told}
    found: dict[str, set[int | None]] = {
        NUMBERS: set(ctx.session.scalars(numbers)),
        TRIES: set(ctx.session.scalars(tries)) - {None},
        ERASED: {each for each in hashed if each != number_hashes.FIRST},
    }
    versions = {version for those in found.values() for version in those if version is not None}
    return {version: [need for need, those in found.items() if version in those] for version in versions}
