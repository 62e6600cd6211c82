"""Where does each chain of audit entries begin and end? The rows that say so, sealed themselves (PII-07)."""

import hmac
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core import audit_seals
from portal.core.audit_seals import FIRST_FORM, START, Link, Restart
from portal.models import INSTALLATION, AuditChain, AuditEntry
from portal.services import unreadable_rows
from portal.services.context import Context
from portal.services.unreadable_rows import Unreadable


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain as it is stored: it begins after `base` and ends with `head`. `sealed_at` is Unix ms.

    `restart` is where it was begun anew last, if ever.
    """

    id: str
    base: Link
    head: Link
    sealed_at: int
    seal: str
    restart: Restart | None = None

    @property
    def app_id(self) -> str | None:
        """The app whose chain it is; None for the installation's."""
        return app_of(self.id)

    def is_before_restart(self, sequence: int) -> bool:
        """Whether the entry with this number was there before the chain was begun anew."""
        return self.restart is not None and sequence < self.restart.sequence

    def is_sealed_with(self, key: bytes) -> bool:
        """Whether this row was written by somebody who has the key."""
        right = audit_seals.of_chain(key, self.id, self.base, self.head, self.sealed_at, self.restart)
        return hmac.compare_digest(right.encode(), self.seal.encode())


def app_of(chain_id: str) -> str | None:
    """The app whose chain has this ID; None for the installation's."""
    return None if chain_id == INSTALLATION else chain_id


def every(session: Session) -> tuple[list[Chain], list[str]]:
    """All chains that are stored, by their IDs; and the IDs of those whose rows nobody can read."""
    with suppress(Unreadable), unreadable_rows.told_apart():
        return [_chain(row) for row in session.execute(_COLUMNS.order_by(AuditChain.id))], []
    ids = unreadable_rows.texts(session, select(AuditChain.id).order_by(AuditChain.id))
    found = {chain_id: _find_if_read(session, chain_id) for chain_id in ids}
    return [chain for chain in found.values() if chain], [each for each, chain in found.items() if not chain]


def find(session: Session, chain_id: str) -> Chain | None:
    """The chain with this ID: an app's, or INSTALLATION. Raises TypeError for a row that is not of ours."""
    row = session.execute(_COLUMNS.where(AuditChain.id == chain_id)).first()
    return None if row is None else _chain(row)


def _find_if_read(session: Session, chain_id: str) -> Chain | None:
    with suppress(Unreadable), unreadable_rows.told_apart():
        return find(session, chain_id)
    return None


def find_or_begin(ctx: Context, app_id: str | None) -> Chain | None:
    """The chain of an app, begun if it has none; None where it was removed while entries are sealed in it."""
    chain_id = app_id or INSTALLATION
    found = find(ctx.session, chain_id)
    if found is not None:
        return found
    if ctx.session.scalar(select(exists().where(of(app_id), AuditEntry.sequence.is_not(None)))):
        return None
    add(ctx, chain_id)
    return find(ctx.session, chain_id)


def add(
    ctx: Context, chain_id: str, base: Link = START, head: Link = START, restart: Restart | None = None
) -> bool:
    """Stores a chain; False when another process began it at the same moment, or the app has just gone."""
    row = _row(ctx, chain_id, base, head, restart)
    try:
        with ctx.session.begin_nested():
            ctx.session.execute(insert(AuditChain).values(id=chain_id, app_id=app_of(chain_id), **row))
    except IntegrityError:
        return False
    return True


def move(
    ctx: Context,
    chain: Chain,
    *,
    base: Link | None = None,
    head: Link | None = None,
    restart: Restart | None = None,
) -> bool:
    """Moves the base or the head of a chain; False when somebody else moved them since `chain` was read."""
    row = _row(ctx, chain.id, base or chain.base, head or chain.head, restart or chain.restart)
    moved = ctx.session.scalar(
        update(AuditChain)
        .where(AuditChain.id == chain.id, AuditChain.seal == chain.seal)
        .values(**row)
        .returning(AuditChain.id)
        .execution_options(synchronize_session=False)
    )
    return moved is not None


def of(app_id: str | None) -> ColumnElement[bool]:
    """The condition for the entries of one chain, spelled so that its index is used."""
    return AuditEntry.app_id.is_(None) if app_id is None else AuditEntry.app_id == app_id


def unsealed_of(app_id: str | None) -> ColumnElement[bool]:
    """The condition for the entries of one chain that are not sealed, so that their small index is used."""
    # Spelled like `of`, it would have both databases read all entries of the app.
    chain_id = func.coalesce(AuditEntry.app_id, INSTALLATION)
    return and_(AuditEntry.sequence.is_(None), chain_id == (app_id or INSTALLATION))


_COLUMNS = select(
    AuditChain.id,
    AuditChain.base_sequence,
    AuditChain.base_hash,
    AuditChain.head_sequence,
    AuditChain.head_hash,
    AuditChain.sealed_at,
    AuditChain.seal,
    AuditChain.restart_sequence,
    AuditChain.restarted_at,
    AuditChain.kept_hash,
    AuditChain.kept_form,
)


def _chain(row: Row[*tuple[Any, ...]]) -> Chain:
    # SQLite takes anything for a number and for a text.
    texts = (row.base_hash, row.head_hash, row.seal, row.kept_hash)
    numbers = (row.base_sequence, row.head_sequence, row.sealed_at, row.restart_sequence, row.restarted_at)
    for kind, values in ((str, texts), (int, (*numbers, row.kept_form))):
        if not all(each is None or isinstance(each, kind) for each in values):
            raise TypeError("a value in the row of a chain is not of its kind")
    base, head = Link(row.base_sequence, row.base_hash), Link(row.head_sequence, row.head_hash)
    restart = None
    if row.restart_sequence is not None:
        form = row.kept_form or FIRST_FORM
        restart = Restart(row.restart_sequence, row.restarted_at, row.kept_hash, form)
    return Chain(row.id, base, head, row.sealed_at, row.seal, restart)


def _row(ctx: Context, chain_id: str, base: Link, head: Link, restart: Restart | None) -> dict[str, object]:
    return {
        "base_sequence": base.sequence,
        "base_hash": base.hash,
        "head_sequence": head.sequence,
        "head_hash": head.hash,
        "restart_sequence": restart.sequence if restart else None,
        "restarted_at": restart.at if restart else None,
        "kept_hash": restart.kept if restart else None,
        "kept_form": restart.form if restart and restart.form != FIRST_FORM else None,
        "sealed_at": ctx.now,
        "seal": audit_seals.of_chain(ctx.keys.audit, chain_id, base, head, ctx.now, restart),
    }
