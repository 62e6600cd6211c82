"""Invites, second factors, password resets, tries that are counted, and sessions that know their browser."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To invites and second factors. Everybody signs in once more: nobody knows how fresh a session is."""
    _remake_sessions(
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("id", name=op.f("uq_account_session_id")),
    )
    _add_invites()
    _add_second_factors()
    op.create_table(
        "password_reset",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        _of_account("password_reset"),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("account_id", name=op.f("uq_password_reset_account_id")),
    )
    op.create_table(
        "attempt_tally",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("tries >= 1", name=op.f("ck_attempt_tally_tries")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_attempt_tally")),
    )
    op.create_index(op.f("ix_attempt_tally_ends_at"), "attempt_tally", ["ends_at"])


def downgrade() -> None:
    """Back to passwords alone. Everybody signs in once more."""
    for table in ("attempt_tally", "password_reset", "passkey", "recovery_code", "totp", "invite"):
        op.drop_table(table)
    _remake_sessions()


def _remake_sessions(*added: sa.Column | sa.UniqueConstraint) -> None:
    op.drop_table("account_session")
    op.create_table(
        "account_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        _of_account("account_session"),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_account_session")),
        *added,
    )
    op.create_index(op.f("ix_account_session_account_id"), "account_session", ["account_id"])
    op.create_index(op.f("ix_account_session_last_seen_at"), "account_session", ["last_seen_at"])


def _add_invites() -> None:
    op.create_table(
        "invite",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'support')", name=op.f("ck_invite_role")),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_invite_app_id_app"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["account.id"], name=op.f("fk_invite_invited_by_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("app_id", "email", name=op.f("uq_invite_app_id_email")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_invite_key_hash")),
    )
    op.create_index(op.f("ix_invite_invited_by"), "invite", ["invited_by"])


def _add_second_factors() -> None:
    op.create_table(
        "totp",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        _of_account("totp"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_totp")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        _of_account("recovery_code"),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        _of_account("passkey"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_account_id"), "passkey", ["account_id"])


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["account.id"], name=op.f(f"fk_{table}_account_id_account"), ondelete="CASCADE"
    )
