"""Limits know a number by a keyed hash (PII-06), and receipts that match no message are counted by the hour."""

import hmac
from pathlib import Path

import sqlalchemy as sa
from alembic import context, op
from flask import current_app

from portal import keys

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LIMIT = "phone_number_limit"
_PLAIN = sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql")
_HASH = sa.String(length=64)


def upgrade() -> None:
    """To hashes, made with the oldest hashing key, so that no limit begins anew. Counted tries do, for an hour."""
    _see_every_app()
    if op.get_bind().dialect.name == "postgresql":
        _alter_number("phone_number", "number_hash", _HASH)
        op.add_column(_LIMIT, sa.Column("key_version", sa.Integer(), nullable=False, server_default="1"))
        op.alter_column(_LIMIT, "key_version", server_default=None)
    else:
        _remake(sa.Column("number_hash", _HASH, nullable=False), "phone_number", "1")
    _hash_numbers()
    op.add_column("verification", sa.Column("number_hash", _HASH, nullable=True))
    # Their hashes have no key, so that addresses could be tried out on them.
    op.execute("DELETE FROM attempt_tally WHERE subject NOT LIKE 'code_spray:%'")
    op.add_column("attempt_tally", sa.Column("key_version", sa.Integer(), nullable=True))
    op.create_table(
        "unmatched_receipt",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("provider_id", sa.String(length=36), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("receipts >= 1", name=op.f("ck_unmatched_receipt_receipts")),
        sa.ForeignKeyConstraint(
            ["app_id", "provider_id"],
            ["provider.app_id", "provider.id"],
            name=op.f("fk_unmatched_receipt_app_id_provider_id_provider"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_unmatched_receipt_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", "provider_id", "hour", name=op.f("pk_unmatched_receipt")),
    )


def downgrade() -> None:
    """Back to numbers as they are. Nobody can read them out of hashes, so what was counted is forgotten."""
    _see_every_app()
    op.drop_table("unmatched_receipt")
    op.execute("DELETE FROM phone_number_limit")
    op.execute("DELETE FROM attempt_tally WHERE subject NOT LIKE 'code_spray:%'")
    op.drop_column("attempt_tally", "key_version")
    op.drop_column("verification", "number_hash")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column(_LIMIT, "key_version")
        _alter_number("number_hash", "phone_number", _PLAIN)
    else:
        _remake(sa.Column("phone_number", _PLAIN, nullable=False), "number_hash")


def _alter_number(old: str, new: str, kind: sa.String) -> None:
    """The table itself stays, with whatever fences it off from other apps."""
    op.alter_column(_LIMIT, old, new_column_name=new, type_=kind)
    _rename_not_null(old, new)


def _remake(number: sa.Column, source: str, key_version: str = "") -> None:
    """SQLite changes no column of a table that is there."""
    added = (sa.Column("key_version", sa.Integer(), nullable=False),) if key_version else ()
    op.drop_index("ix_phone_number_limit_touched_at", _LIMIT)
    op.execute("CREATE TABLE limit_before AS SELECT * FROM phone_number_limit")
    op.drop_table(_LIMIT)
    op.create_table(
        _LIMIT,
        sa.Column("app_id", sa.String(length=36), nullable=False),
        number,
        *added,
        sa.Column("sent_times", sa.String(), nullable=False),
        sa.Column("failed_guess_times", sa.String(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_phone_number_limit_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", number.name, name=op.f("pk_phone_number_limit")),
    )
    op.create_index(op.f("ix_phone_number_limit_touched_at"), _LIMIT, ["touched_at"])
    into, given = (", key_version", f", {key_version}") if key_version else ("", "")
    op.execute(
        f"""INSERT INTO phone_number_limit
        (app_id, {number.name}, sent_times, failed_guess_times, touched_at{into})
        SELECT app_id, {source}, sent_times, failed_guess_times, touched_at{given} FROM limit_before"""  # noqa: S608 - names of columns above
    )
    op.drop_table("limit_before")


def _rename_not_null(old: str, new: str) -> None:
    # From PostgreSQL 18 on they have names, which a renamed column does not change.
    op.execute(
        f"""DO $$ BEGIN
            ALTER TABLE {_LIMIT} RENAME CONSTRAINT {_LIMIT}_{old}_not_null TO {_LIMIT}_{new}_not_null;
        EXCEPTION WHEN undefined_object THEN NULL;
        END $$"""
    )


def _see_every_app() -> None:
    # Where apps are fenced off from each other, a process says whose rows it is about.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT set_config('ringback.app_id', '*', true)")


def _hash_numbers() -> None:
    bind = op.get_bind()
    rows = bind.execute(sa.text("SELECT app_id, number_hash FROM phone_number_limit")).all()
    if not rows:
        return
    version, key = keys.require(_home()).hashing.all()[0]
    its_own = hmac.digest(key, b"ringback number limits", "sha256")
    change = sa.text(
        """UPDATE phone_number_limit SET number_hash = :hash, key_version = :version
        WHERE app_id = :app_id AND number_hash = :number"""
    )
    bind.execute(
        change,
        [
            {
                "app_id": row.app_id,
                "number": row.number_hash,
                "version": version,
                "hash": hmac.digest(its_own, f"{row.app_id}:{row.number_hash}".encode(), "sha256").hex(),
            }
            for row in rows
        ],
    )


def _home() -> Path:
    given = context.config.attributes.get("home")
    return Path(given or current_app.config["RINGBACK_HOME"])
