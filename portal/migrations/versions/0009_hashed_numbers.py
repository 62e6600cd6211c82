"""Limits know a number by a keyed hash (PII-06), and receipts that match no message are counted by the hour."""

import hmac
from pathlib import Path

import sqlalchemy as sa
from alembic import context, op
from flask import current_app

from portal import keys

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

_PLAIN = sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql")
_HASH = sa.String(length=64)


def upgrade() -> None:
    """To hashes, made with the oldest hashing key, so that no limit begins anew. Counted tries do, for an hour."""
    _see_every_app()
    with op.batch_alter_table("phone_number_limit") as limits:
        limits.alter_column(
            "phone_number", new_column_name="number_hash", type_=_HASH, existing_type=_PLAIN, nullable=False
        )
        limits.add_column(sa.Column("key_version", sa.Integer(), nullable=False, server_default="1"))
    _hash_numbers()
    with op.batch_alter_table("phone_number_limit") as limits:
        limits.alter_column("key_version", server_default=None, existing_type=sa.Integer())
    # Their hashes have no key, so that addresses could be tried out on them.
    op.execute("DELETE FROM attempt_tally WHERE subject NOT LIKE 'code_spray:%'")
    op.add_column("attempt_tally", sa.Column("key_version", sa.Integer(), nullable=True))
    op.create_table(
        "unmatched_receipt",
        sa.Column("provider_id", sa.String(length=36), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("receipts >= 1", name=op.f("ck_unmatched_receipt_receipts")),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["provider.id"],
            name=op.f("fk_unmatched_receipt_provider_id_provider"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("provider_id", "hour", name=op.f("pk_unmatched_receipt")),
    )


def downgrade() -> None:
    """Back to numbers as they are. Nobody can read them out of hashes, so what was counted is forgotten."""
    _see_every_app()
    op.drop_table("unmatched_receipt")
    op.execute("DELETE FROM phone_number_limit")
    op.execute("DELETE FROM attempt_tally WHERE subject NOT LIKE 'code_spray:%'")
    with op.batch_alter_table("attempt_tally") as tallies:
        tallies.drop_column("key_version")
    with op.batch_alter_table("phone_number_limit") as limits:
        limits.drop_column("key_version")
        limits.alter_column(
            "number_hash", new_column_name="phone_number", type_=_PLAIN, existing_type=_HASH, nullable=False
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
