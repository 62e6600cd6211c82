"""Receipts that cannot be read are counted by what they lack, and no longer only the last one's lack is known."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_TABLE, _KEY = "unreadable_receipt", "pk_unreadable_receipt"
_COLUMNS = "app_id, provider_id, hour, receipts, last_at, trouble"
# As they are at this revision.
_TROUBLES = "'no_fields', 'wrong_json', 'no_reference', 'no_state', 'unknown_word'"


def upgrade() -> None:
    """To a row for each kind of an hour. What was counted stays, under what the last one of its hour lacked."""
    _key_of("app_id", "provider_id", "hour", "trouble")


def downgrade() -> None:
    """Back to one row an hour. What was counted goes, for a day at most was."""
    op.execute(f"DELETE FROM {_TABLE}")  # noqa: S608 - our own name
    _key_of("app_id", "provider_id", "hour")


def _key_of(*columns: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(_KEY), _TABLE, type_="primary")
        op.create_primary_key(op.f(_KEY), _TABLE, columns)
        return
    # SQLite changes no key; and a table that is renamed keeps its name in quotes, so the old one is.
    op.rename_table(_TABLE, f"{_TABLE}_before")
    _make(columns)
    op.execute(f"INSERT INTO {_TABLE} ({_COLUMNS}) SELECT {_COLUMNS} FROM {_TABLE}_before")  # noqa: S608 - so too
    op.drop_table(f"{_TABLE}_before")


def _make(key: tuple[str, ...]) -> None:
    op.create_table(
        _TABLE,
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("provider_id", sa.String(length=36), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.String(length=16), nullable=False),
        sa.CheckConstraint("receipts >= 1", name=op.f("ck_unreadable_receipt_receipts")),
        sa.CheckConstraint(f"trouble IN ({_TROUBLES})", name=op.f("ck_unreadable_receipt_trouble")),
        sa.ForeignKeyConstraint(
            ["app_id", "provider_id"],
            ["provider.app_id", "provider.id"],
            name=op.f("fk_unreadable_receipt_app_id_provider_id_provider"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_unreadable_receipt_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(_KEY)),
    )
