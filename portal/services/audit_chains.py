"""Where does each chain of audit entries begin and end? The rows that say so, sealed themselves (PII-07)."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import audit_seals
from portal.core.audit_seals import START, Link
from portal.models import INSTALLATION, AuditChain, AuditEntry
from portal.services.context import Context


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain as it is stored: it begins after `base` and ends with `head`. `sealed_at` is Unix ms."""

    id: str
    base: Link
    head: Link
    sealed_at: int
    seal: str

    @property
    def app_id(self) -> str | None:
        """The app whose chain it is; None for the installation's."""
        return None if self.id == INSTALLATION else self.id

    def is_sealed_with(self, key: bytes) -> bool:
        """Whether this row was written by somebody who has the key."""
        right = audit_seals.of_chain(key, self.id, self.base, self.head, self.sealed_at)
        return hmac.compare_digest(right, self.seal)


def every(session: Session) -> list[Chain]:
    """All chains that are stored, by their IDs."""
    return [_chain(row) for row in session.execute(_COLUMNS.order_by(AuditChain.id))]


def find(session: Session, chain_id: str) -> Chain | None:
    """The chain with this ID: an app's, or INSTALLATION."""
    row = session.execute(_COLUMNS.where(AuditChain.id == chain_id)).first()
    return None if row is None else _chain(row)


def find_or_begin(ctx: Context, app_id: str | None) -> Chain | None:
    """The chain of an app, begun if it has none; None where it was removed while entries are sealed in it."""
    chain_id = app_id or INSTALLATION
    found = find(ctx.session, chain_id)
    if found is not None:
        return found
    if ctx.session.scalar(select(exists().where(of(app_id), AuditEntry.sequence.is_not(None)))):
        return None
    try:
        with ctx.session.begin_nested():
            ctx.session.execute(insert(AuditChain).values(id=chain_id, app_id=app_id, **_row(ctx, chain_id)))
    except IntegrityError:
        # Another worker began it at the same moment, or the app has just gone.
        pass
    return find(ctx.session, chain_id)


def move(ctx: Context, chain: Chain, *, base: Link | None = None, head: Link | None = None) -> bool:
    """Moves the base or the head of a chain; False when somebody else moved them since `chain` was read."""
    moved = ctx.session.scalar(
        update(AuditChain)
        .where(AuditChain.id == chain.id, AuditChain.seal == chain.seal)
        .values(**_row(ctx, chain.id, base or chain.base, head or chain.head))
        .returning(AuditChain.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None


def of(app_id: str | None) -> ColumnElement[bool]:
    """The condition for the entries of one chain, spelled so that its index is used."""
    return AuditEntry.app_id.is_(None) if app_id is None else AuditEntry.app_id == app_id


_COLUMNS = select(
    AuditChain.id,
    AuditChain.base_sequence,
    AuditChain.base_hash,
    AuditChain.head_sequence,
    AuditChain.head_hash,
    AuditChain.sealed_at,
    AuditChain.seal,
)


def _chain(row: Iterable[object]) -> Chain:
    chain_id, base_sequence, base_hash, head_sequence, head_hash, at, seal = row
    base, head = Link(base_sequence, base_hash), Link(head_sequence, head_hash)  # type: ignore[arg-type]
    return Chain(chain_id, base, head, at, seal)  # type: ignore[arg-type]


def _row(ctx: Context, chain_id: str, base: Link = START, head: Link = START) -> dict[str, object]:
    return {
        "base_sequence": base.sequence,
        "base_hash": base.hash,
        "head_sequence": head.sequence,
        "head_hash": head.hash,
        "sealed_at": ctx.now,
        "seal": audit_seals.of_chain(ctx.keys.audit, chain_id, base, head, ctx.now),
    }
