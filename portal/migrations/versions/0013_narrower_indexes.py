"""Indexes of few users are no longer mistaken for that of one number, and those of names hold names alone."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ENDS = {"user_number_part_end": "phone_number", "user_number_part_pending_end": "pending_phone_number"}
_NAMES = ("display_name_key", "display_name_key_turned")


def upgrade() -> None:
    """To conditions that only the right question fulfils."""
    _set_pending("pending_until IS NOT NULL")
    for column in _NAMES:
        op.drop_index(f"ix_user_{column}", "user")
        has_it = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_user_{column}", "user", ["app_id", column], sqlite_where=has_it, postgresql_where=has_it
        )
    for name, column in _ENDS.items():
        _set_ends(name, column, f"right({column}, 3)")


def downgrade() -> None:
    """Back to conditions that any number fulfils."""
    for name, column in _ENDS.items():
        _set_ends(name, column, column)
    for column in _NAMES:
        op.drop_index(f"ix_user_{column}", "user")
        op.create_index(f"ix_user_{column}", "user", ["app_id", column])
    _set_pending("pending_phone_number IS NOT NULL")


def _set_pending(condition: str) -> None:
    op.drop_index("ix_user_pending", "user")
    where = sa.text(condition)
    columns = ["app_id", "created_at", "serial"]
    op.create_index("ix_user_pending", "user", columns, sqlite_where=where, postgresql_where=where)


def _set_ends(name: str, column: str, there: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP INDEX {name}")
        op.execute(
            f'CREATE INDEX {name} ON "user" (app_id, right({column}, 3), serial) WHERE {there} IS NOT NULL'
        )
