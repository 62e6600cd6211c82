"""Messages say when their hand-over began, those set aside are found by time, and users by their last digits."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ENDS = {"user_number_part_end": "phone_number", "user_number_part_pending_end": "pending_phone_number"}


def upgrade() -> None:
    """To messages that know whether a broken-off attempt may have sent them, and to shorter searches."""
    op.add_column("message", sa.Column("handed_over_at", sa.BigInteger(), nullable=True))
    is_set_aside = sa.text("state = 'dead'")
    op.create_index(
        "ix_message_dead",
        "message",
        ["ended_at"],
        sqlite_where=is_set_aside,
        postgresql_where=is_set_aside,
    )
    if op.get_bind().dialect.name == "postgresql":
        for name, column in _ENDS.items():
            op.execute(
                f'CREATE INDEX {name} ON "user" (app_id, right({column}, 3), serial) WHERE {column} IS NOT NULL'
            )


def downgrade() -> None:
    """Back to messages that do not, and to one index of parts."""
    if op.get_bind().dialect.name == "postgresql":
        for name in _ENDS:
            op.execute(f"DROP INDEX {name}")
    op.drop_index("ix_message_dead", "message")
    op.drop_column("message", "handed_over_at")
