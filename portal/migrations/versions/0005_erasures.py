"""Erasures are on record, stored answers know whose they are, and a failover of PostgreSQL is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_HOLDS_A_USER = sa.text("user_id IS NOT NULL")
# A standby that lags has this row as soon as it has the table, so it never takes itself for a new database.
# A managed server may hide where it stands; then there is nothing to remember.
_REMEMBER = """
    DO $$ BEGIN
        INSERT INTO database_timeline (id, name)
        SELECT 1, (pg_control_system()).system_identifier || '/'
            || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
    EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR object_not_in_prerequisite_state THEN
        NULL;
    END $$
"""


def upgrade() -> None:
    """To erasures that a restore replays, and to a remembered timeline."""
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("number_hashes", sa.JSON(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('user', 'number')", name=op.f("ck_erasure_kind")),
        sa.CheckConstraint("(kind = 'user') = (user_id IS NOT NULL)", name=op.f("ck_erasure_names_its_user")),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_erasure_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_erased_at"), "erasure", ["erased_at"])
    op.create_table(
        "database_timeline",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("switched_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_database_timeline_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_database_timeline")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_REMEMBER)
    op.add_column("idempotency_key", sa.Column("user_id", sa.String(length=36), nullable=True))
    op.create_index(
        "ix_idempotency_key_user",
        "idempotency_key",
        ["app_id", "user_id"],
        sqlite_where=_HOLDS_A_USER,
        postgresql_where=_HOLDS_A_USER,
    )


def downgrade() -> None:
    """Back to users who leave no trace, and to failovers that nobody notices."""
    op.drop_index("ix_idempotency_key_user", "idempotency_key")
    op.drop_column("idempotency_key", "user_id")
    op.drop_table("database_timeline")
    op.drop_table("erasure")
