"""Every audit entry that is empty has its mark, and entries can be compared where the one before is gone."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import context, op
from flask import current_app

from portal import keys

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_MARKED = "erasures.marked"
_FACTS = ("id", "at", "actor_kind", "actor_id", "action", "user_id")
# What a Ringback of before marks may have emptied, by the rule that was in force: somebody was erased since.
# Before a restart of such a Ringback no empty entry is a fault, and a newer restart holds together what it found.
_EMPTY = sa.text(
    """SELECT e.app_id, e.told_hash, e.id, e.at, e.actor_kind, e.actor_id, e.action, e.user_id
    FROM audit_entry e LEFT JOIN audit_chain c ON c.id = e.app_id
    WHERE e.sequence IS NOT NULL AND e.app_id IS NOT NULL AND e.user_id IS NOT NULL
    AND e.reason IS NULL AND CAST(e.details AS TEXT) = '{}' AND e.emptied IS NULL AND c.kept_form IS NULL
    AND (e.sequence < c.restart_sequence
        OR e.at <= (SELECT max(erased_at) FROM erasure WHERE erasure.app_id = e.app_id))
    ORDER BY e.id"""
)


def upgrade() -> None:
    """To entries that nobody empties without the key, those of the versions before marks included.

    What they had emptied gets its mark here, once: the installation's log says so, and from then on whoever
    takes the schema back, to have entries marked that they emptied themselves, gets no mark.
    """
    # On PostgreSQL this keeps everybody from the entries until the end, so that nobody empties one meanwhile.
    op.add_column("audit_entry", sa.Column("own_hash", sa.String(64), nullable=True))
    _set_guard((*_SEALS, "own_hash"), _IS_MARKED)
    if _is_new() or _is_said():
        return
    marked = _mark()
    said = sa.text(
        """INSERT INTO audit_entry (at, actor_kind, action, details)
        VALUES (:at, 'system', :action, :details)"""
    )
    details = json.dumps({"found_empty": marked})
    op.get_bind().execute(said, {"at": int(time.time() * 1000), "action": _MARKED, "details": details})


def downgrade() -> None:
    """Back to entries that can be emptied without a mark. All marks stay."""
    _set_guard(_SEALS, "")
    op.drop_column("audit_entry", "own_hash")


def _is_new() -> bool:
    return not op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT 1 FROM audit_entry)"))


def _is_said() -> bool:
    said = sa.text("SELECT EXISTS (SELECT 1 FROM audit_entry WHERE action = :action AND app_id IS NULL)")
    return bool(op.get_bind().scalar(said, {"action": _MARKED}))


# --- Marks -----------------------------------------------------------------------------------------------


def _mark() -> int:
    """Marks what is empty and told something once; returns how many entries that were."""
    bind = op.get_bind()
    mark = sa.text("UPDATE audit_entry SET emptied = :mark WHERE id = :id")
    marks = list(_marks(_rows()))
    if marks:
        bind.execute(mark, marks)
    return len(marks)


def _rows() -> list[sa.Row[Any]]:
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        return list(bind.execute(_EMPTY))
    # One text that is none would have the whole migration fail; nobody can make a mark for its entry.
    driver: Any = bind.connection.driver_connection
    driver.text_factory = _text
    try:
        return list(bind.execute(_EMPTY))
    finally:
        driver.text_factory = str


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _marks(rows: list[sa.Row[Any]]) -> Iterator[dict[str, object]]:
    key = keys.require(_home()).audit if rows else b""
    for row in rows:
        if any(isinstance(value, bytes) for value in row):
            continue
        # As they are hashed at this revision; portal/core/audit_seals.py has what is in force.
        if row.told_hash != _sealed(key, ["told", 1, row.app_id, row.id, None, {}]):
            facts = {name: getattr(row, name) for name in _FACTS} | {"told": row.told_hash}
            seal = _sealed(key, ["emptied", 1, row.app_id, facts, row.told_hash])
            yield {"id": row.id, "mark": row.told_hash + seal}


def _sealed(key: bytes, content: list[object]) -> str:
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, written.encode("ascii"), hashlib.sha256).hexdigest()


def _home() -> Path:
    given = context.config.attributes.get("home")
    return Path(given or current_app.config["RINGBACK_HOME"])


# --- The guard, as it is at this revision; portal/models/audit_guard.py has the one in force -------------

_NAMES = ("id", "app_id", "at", "actor_kind", "actor_id", "action", "user_id")
_SEALS = ("sequence", "hash", "told_hash")
_IS_MARKED = """ AND (old.sequence IS NULL OR new.emptied IS NOT NULL
        OR (old.emptied IS NULL AND old.reason IS NULL AND old.{details} = '{{}}'))"""
_IS_KEPT = """(old.app_id IS NULL OR EXISTS (SELECT 1 FROM app WHERE app.id = old.app_id))
    AND NOT EXISTS (SELECT 1 FROM audit_chain WHERE old.sequence <= audit_chain.base_sequence
        AND audit_chain.id = coalesce(old.app_id, 'installation'))"""


def _set_guard(seals_: tuple[str, ...], marked: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_entry_is_not_changed")
        op.execute(
            f"""CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_entry
            WHEN {_is_no_change_of_ours("IS NOT", "details", seals_, marked)}
            BEGIN SELECT raise(ABORT, 'audit entries stay as they are'); END"""
        )
        return
    op.execute(
        f"""CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF {_is_no_change_of_ours("IS DISTINCT FROM", "details::text", seals_, marked)} THEN
                        RAISE EXCEPTION 'audit entries stay as they are';
                    END IF;
                    RETURN new;
                ELSIF TG_OP = 'DELETE' THEN
                    IF {_IS_KEPT} THEN
                        RAISE EXCEPTION 'audit entries stay as they are';
                    END IF;
                    RETURN old;
                END IF;
                RAISE EXCEPTION 'audit entries stay as they are';
            END $$"""
    )


def _is_no_change_of_ours(differ: str, details: str, seals_: tuple[str, ...], marked: str) -> str:
    """Whether an update neither seals an entry nor empties what it tells of a user who was erased."""

    def stays(*names: str) -> str:
        old, new = (", ".join(f"{row}.{each}" for each in names) for row in ("old", "new"))
        return f"NOT (({old}) {differ} ({new}))"

    seals = f"old.sequence IS NULL AND new.sequence IS NOT NULL AND {stays(*_NAMES, 'reason', details)}"
    empties = "old.user_id IS NOT NULL AND new.reason IS NULL"
    empties += f" AND new.{details} = '{{}}' AND {stays(*_NAMES, *seals_)}"
    return f"NOT ({seals}) AND NOT ({empties}{marked.format(details=details)})"
