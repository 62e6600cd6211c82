"""Receipts that arrive and cannot be read are counted, behind their app's fence."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLE = "unreadable_receipt"
# As they are at this revision; portal/models/app_fence.py has the ones in force.
_SAID = "(SELECT current_setting('ringback.app_id', true))"
_TROUBLES = "'no_fields', 'wrong_json', 'no_reference', 'no_state', 'unknown_word'"


def upgrade() -> None:
    """To a table that no version before reads or writes, so its fence is up from the start."""
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
        sa.PrimaryKeyConstraint("app_id", "provider_id", "hour", name=op.f("pk_unreadable_receipt")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"CREATE POLICY app_fence ON {_TABLE} USING (app_id = {_SAID} OR {_SAID} = '*')")
        op.execute(f"ALTER TABLE {_TABLE} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Back to receipts that leave no trace; the fence goes with its table."""
    op.drop_table(_TABLE)
