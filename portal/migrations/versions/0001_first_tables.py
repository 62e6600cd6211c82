"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Neither database's index of parts of numbers is a table or an index that Alembic can word.
_PARTS_OF_NUMBERS = {
    "sqlite": (
        """CREATE VIRTUAL TABLE user_number_part USING fts5(
        numbers, content = '', detail = none, columnsize = 0, tokenize = 'trigram')""",
        """CREATE TRIGGER user_number_part_put AFTER INSERT ON user BEGIN
        INSERT INTO user_number_part (rowid, numbers)
        VALUES (new.serial, coalesce(new.phone_number, '') || ' ' ||
            coalesce(new.pending_phone_number, '') || ' '); END""",
        """CREATE TRIGGER user_number_part_take AFTER DELETE ON user BEGIN
        INSERT INTO user_number_part (user_number_part, rowid, numbers)
        VALUES ('delete', old.serial, coalesce(old.phone_number, '') || ' ' ||
            coalesce(old.pending_phone_number, '') || ' '); END""",
        """CREATE TRIGGER user_number_part_change AFTER UPDATE OF phone_number, pending_phone_number ON user
        WHEN old.phone_number IS NOT new.phone_number
            OR old.pending_phone_number IS NOT new.pending_phone_number BEGIN
        INSERT INTO user_number_part (user_number_part, rowid, numbers)
        VALUES ('delete', old.serial, coalesce(old.phone_number, '') || ' ' ||
            coalesce(old.pending_phone_number, '') || ' ');
        INSERT INTO user_number_part (rowid, numbers)
        VALUES (new.serial, coalesce(new.phone_number, '') || ' ' ||
            coalesce(new.pending_phone_number, '') || ' '); END""",
    ),
    "postgresql": (
        """CREATE EXTENSION IF NOT EXISTS pg_trgm""",
        """CREATE INDEX user_number_part ON "user"
        USING gin (phone_number gin_trgm_ops, pending_phone_number gin_trgm_ops)""",
    ),
}


def upgrade() -> None:
    """From an empty database."""
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "phone_number",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("phone_number_confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmation_id", sa.String(length=36), nullable=True),
        sa.Column(
            "confirmation_number",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("confirmation_expires_at", sa.BigInteger(), nullable=True),
        sa.Column("confirmation_guesses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_account_fs_uniquifier")),
    )
    op.create_table(
        "app",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("home_country", sa.String(length=2), nullable=False),
        sa.Column("default_locale", sa.String(length=35), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("client_secret_hash", sa.String(length=64), nullable=False),
        sa.Column("client_secret_last4", sa.String(length=4), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("phone_number_verification_required", sa.Boolean(), nullable=False),
        sa.Column("code_length", sa.Integer(), nullable=False),
        sa.Column("code_life_s", sa.Integer(), nullable=False),
        sa.Column("guesses_allowed", sa.Integer(), nullable=False),
        sa.Column("sends_allowed", sa.Integer(), nullable=False),
        sa.Column("number_taken", sa.String(length=16), nullable=False),
        sa.Column("notify_old_number", sa.Boolean(), nullable=False),
        sa.Column("most_segments", sa.Integer(), nullable=False),
        sa.Column("sms_templates_need_approval", sa.Boolean(), nullable=False),
        sa.Column("web_autofill", sa.Boolean(), nullable=False),
        sa.Column("web_domain", sa.String(length=253), nullable=True),
        sa.Column("android_autofill", sa.Boolean(), nullable=False),
        sa.Column("android_hash", sa.String(length=11), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("expose_full_user_data_to_others", sa.Boolean(), nullable=False),
        sa.Column("refresh_token_enabled", sa.Boolean(), nullable=False),
        sa.Column("default_token_life_s", sa.BigInteger(), nullable=False),
        sa.Column("max_token_life_s", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("mode IN ('sandbox', 'live')", name=op.f("ck_app_mode")),
        sa.CheckConstraint("number_taken IN ('refuse', 'move')", name=op.f("ck_app_number_taken")),
        sa.CheckConstraint(
            "android_hash IS NOT NULL OR NOT android_autofill", name=op.f("ck_app_android_autofill_has_hash")
        ),
        sa.CheckConstraint("code_length BETWEEN 4 AND 10", name=op.f("ck_app_code_length")),
        sa.CheckConstraint("code_life_s BETWEEN 60 AND 600", name=op.f("ck_app_code_life_s")),
        sa.CheckConstraint("guesses_allowed BETWEEN 1 AND 10", name=op.f("ck_app_guesses_allowed")),
        sa.CheckConstraint("most_segments BETWEEN 1 AND 6", name=op.f("ck_app_most_segments")),
        sa.CheckConstraint("sends_allowed BETWEEN 1 AND 10", name=op.f("ck_app_sends_allowed")),
        sa.CheckConstraint(
            "web_domain IS NOT NULL OR NOT web_autofill", name=op.f("ck_app_web_autofill_has_domain")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app")),
        sa.UniqueConstraint("client_id", name=op.f("uq_app_client_id")),
    )
    op.create_table(
        "periodic_job",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_periodic_job")),
    )
    op.create_table(
        "account_session",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_account_session_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_account_session")),
    )
    op.create_index(op.f("ix_account_session_account_id"), "account_session", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_account_session_last_seen_at"), "account_session", ["last_seen_at"], unique=False
    )
    op.create_table(
        "audit_entry",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("app_id", sa.String(length=36), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('user', 'app', 'admin', 'account', 'operator', 'system')",
            name=op.f("ck_audit_entry_actor_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_audit_entry_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(
        "ix_audit_entry_account",
        "audit_entry",
        ["actor_id", "action", "at"],
        unique=False,
        sqlite_where=sa.text("actor_kind = 'account'"),
        postgresql_where=sa.text("actor_kind = 'account'"),
    )
    op.create_index("ix_audit_entry_app", "audit_entry", ["app_id", "id"], unique=False)
    op.create_index("ix_audit_entry_user", "audit_entry", ["app_id", "user_id", "id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'support')", name=op.f("ck_membership_role")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_membership_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_membership_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "app_id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_app_id"), "membership", ["app_id"], unique=False)
    op.create_table(
        "open_country",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_open_country_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", "country", name=op.f("pk_open_country")),
    )
    op.create_table(
        "phone_number_limit",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column(
            "phone_number",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("sent_times", sa.String(), nullable=False),
        sa.Column("failed_guess_times", sa.String(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_phone_number_limit_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", "phone_number", name=op.f("pk_phone_number_limit")),
    )
    op.create_index(
        op.f("ix_phone_number_limit_touched_at"), "phone_number_limit", ["touched_at"], unique=False
    )
    op.create_table(
        "segment_price",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "millionths BETWEEN 0 AND 1000000000000", name=op.f("ck_segment_price_millionths")
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_segment_price_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", "country", name=op.f("pk_segment_price")),
    )
    op.create_table(
        "sms_template",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("current_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_sms_template_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", "locale", name=op.f("pk_sms_template")),
    )
    op.create_table(
        "sms_template_draft",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_sms_template_draft_app_id_app"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["account.id"],
            name=op.f("fk_sms_template_draft_created_by_account"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("app_id", "locale", name=op.f("pk_sms_template_draft")),
        sa.UniqueConstraint("id", name=op.f("uq_sms_template_draft_id")),
    )
    op.create_table(
        "sms_template_version",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("approved_by", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_sms_template_version_app_id_app"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"],
            ["account.id"],
            name=op.f("fk_sms_template_version_approved_by_account"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["account.id"],
            name=op.f("fk_sms_template_version_created_by_account"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_template_version")),
        sa.UniqueConstraint(
            "app_id", "locale", "version", name=op.f("uq_sms_template_version_app_id_locale_version")
        ),
    )
    op.create_index(
        op.f("ix_sms_template_version_app_id_id"), "sms_template_version", ["app_id", "id"], unique=True
    )
    op.create_table(
        "user",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "login_name",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "email_address",
            sa.String(length=254).with_variant(sa.String(length=254, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "phone_number",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("phone_country", sa.String(length=3), nullable=True),
        sa.Column("phone_number_verified", sa.Boolean(), nullable=False),
        sa.Column("phone_number_verified_at", sa.BigInteger(), nullable=True),
        sa.Column("phone_number_superseded_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "pending_phone_number",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("pending_since", sa.BigInteger(), nullable=True),
        sa.Column("pending_until", sa.BigInteger(), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("display_name", sa.String(length=50), nullable=True),
        sa.Column(
            "display_name_key",
            sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "display_name_key_turned",
            sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("custom_fields", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(pending_phone_number IS NULL) = (pending_since IS NULL)\n            AND (pending_phone_number IS NULL) = (pending_until IS NULL)",
            name=op.f("ck_user_pending_is_whole"),
        ),
        sa.CheckConstraint(
            "phone_number IS NOT NULL OR NOT phone_number_verified", name=op.f("ck_user_verified_has_number")
        ),
        sa.ForeignKeyConstraint(["app_id"], ["app.id"], name=op.f("fk_user_app_id_app"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_user")),
        sa.UniqueConstraint("app_id", "email_address", name=op.f("uq_user_app_id_email_address")),
        sa.UniqueConstraint("app_id", "id", name=op.f("uq_user_app_id_id")),
        sa.UniqueConstraint("app_id", "login_name", name=op.f("uq_user_app_id_login_name")),
    )
    op.create_index("ix_user_created", "user", ["app_id", "created_at", "serial"], unique=False)
    op.create_index(
        "ix_user_disabled",
        "user",
        ["app_id", "created_at", "serial"],
        unique=False,
        sqlite_where=sa.text("disabled = 1"),
        postgresql_where=sa.text("disabled"),
    )
    op.create_index("ix_user_display_name_key", "user", ["app_id", "display_name_key"], unique=False)
    op.create_index(
        "ix_user_display_name_key_turned", "user", ["app_id", "display_name_key_turned"], unique=False
    )
    op.create_index("ix_user_locale", "user", ["app_id", "locale", "created_at", "serial"], unique=False)
    op.create_index(
        "ix_user_pending",
        "user",
        ["app_id", "created_at", "serial"],
        unique=False,
        sqlite_where=sa.text("pending_phone_number IS NOT NULL"),
        postgresql_where=sa.text("pending_phone_number IS NOT NULL"),
    )
    op.create_index(
        "ix_user_pending_phone_number",
        "user",
        ["app_id", "pending_phone_number"],
        unique=False,
        sqlite_where=sa.text("pending_phone_number IS NOT NULL"),
        postgresql_where=sa.text("pending_phone_number IS NOT NULL"),
    )
    op.create_index(
        "ix_user_phone_country", "user", ["app_id", "phone_country", "created_at", "serial"], unique=False
    )
    op.create_index("ix_user_phone_number", "user", ["app_id", "phone_number"], unique=False)
    op.create_index(
        "ix_user_unverified",
        "user",
        ["app_id", "created_at", "serial"],
        unique=False,
        sqlite_where=sa.text("phone_number IS NOT NULL AND phone_number_verified = 0"),
        postgresql_where=sa.text("phone_number IS NOT NULL AND NOT phone_number_verified"),
    )
    op.create_index(
        "uq_user_verified_phone_number",
        "user",
        ["app_id", "phone_number"],
        unique=True,
        sqlite_where=sa.text("phone_number_verified = 1 AND phone_number IS NOT NULL"),
        postgresql_where=sa.text("phone_number_verified AND phone_number IS NOT NULL"),
    )
    op.create_table(
        "bearer_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('user', 'refresh')) = (user_id IS NOT NULL)",
            name=op.f("ck_bearer_token_user_tokens_have_users"),
        ),
        sa.CheckConstraint(
            "kind IN ('user', 'admin', 'anonymous', 'refresh')", name=op.f("ck_bearer_token_kind")
        ),
        sa.ForeignKeyConstraint(
            ["app_id", "user_id"],
            ["user.app_id", "user.id"],
            name=op.f("fk_bearer_token_app_id_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_bearer_token_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_bearer_token")),
    )
    op.create_index(
        op.f("ix_bearer_token_app_id_user_id"), "bearer_token", ["app_id", "user_id"], unique=False
    )
    op.create_index(op.f("ix_bearer_token_expires_at"), "bearer_token", ["expires_at"], unique=False)
    op.create_table(
        "verification",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column(
            "phone_number",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("issue", sa.Integer(), nullable=False),
        sa.Column("code_length", sa.Integer(), nullable=False),
        sa.Column("code_expires_at", sa.BigInteger(), nullable=False),
        sa.Column("guesses", sa.Integer(), nullable=False),
        sa.Column("guesses_allowed", sa.Integer(), nullable=False),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("sends_allowed", sa.Integer(), nullable=False),
        sa.Column("last_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f("ck_verification_ended")),
        sa.CheckConstraint("purpose IN ('register', 'change')", name=op.f("ck_verification_purpose")),
        sa.CheckConstraint(
            "state IN ('open', 'verified', 'exhausted', 'expired', 'replaced', 'cancelled', 'superseded')",
            name=op.f("ck_verification_state"),
        ),
        sa.CheckConstraint("guesses BETWEEN 0 AND 10", name=op.f("ck_verification_guesses")),
        sa.CheckConstraint("sends BETWEEN 0 AND 10", name=op.f("ck_verification_sends")),
        sa.ForeignKeyConstraint(
            ["app_id", "user_id"],
            ["user.app_id", "user.id"],
            name=op.f("fk_verification_app_id_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_verification_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", "id", name=op.f("pk_verification")),
    )
    op.create_index("ix_verification_ended_at", "verification", ["ended_at"], unique=False)
    op.create_index(
        "ix_verification_open_number",
        "verification",
        ["app_id", "phone_number"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_verification_user", "verification", ["app_id", "user_id", "created_at"], unique=False)
    op.create_index(
        "uq_verification_open",
        "verification",
        ["app_id", "user_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "message",
        sa.Column(
            "serial", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column(
            "phone_number",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("country", sa.String(length=3), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("sms_template_version_id", sa.BigInteger(), nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("verification_id", sa.String(length=36), nullable=True),
        sa.Column("issue", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("provider", sa.String(length=32), nullable=True),
        sa.Column("provider_reference", sa.String(length=128), nullable=True),
        sa.Column("provider_words", sa.String(length=300), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(purpose = 'verification')\n            = (verification_id IS NOT NULL AND sms_template_version_id IS NOT NULL)",
            name=op.f("ck_message_verification_is_whole"),
        ),
        sa.CheckConstraint(
            "(user_id IS NULL) = (purpose IN ('test', 'own_number'))",
            name=op.f("ck_message_somebody_gets_it"),
        ),
        sa.CheckConstraint(
            "purpose IN ('verification', 'change_notice', 'test', 'own_number')",
            name=op.f("ck_message_purpose"),
        ),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'expired')",
            name=op.f("ck_message_state"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_message_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["app_id", "sms_template_version_id"],
            ["sms_template_version.app_id", "sms_template_version.id"],
            name=op.f("fk_message_app_id_sms_template_version_id_sms_template_version"),
        ),
        sa.ForeignKeyConstraint(
            ["app_id", "user_id"],
            ["user.app_id", "user.id"],
            name=op.f("fk_message_app_id_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["app_id", "verification_id"],
            ["verification.app_id", "verification.id"],
            name=op.f("fk_message_app_id_verification_id_verification"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_message_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_message")),
        sa.UniqueConstraint("id", name=op.f("uq_message_id")),
    )
    op.create_index("ix_message_account", "message", ["account_id", "created_at"], unique=False)
    op.create_index("ix_message_app", "message", ["app_id", "serial"], unique=False)
    op.create_index(
        "ix_message_due",
        "message",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index(
        "ix_message_not_sent",
        "message",
        ["app_id", "serial"],
        unique=False,
        sqlite_where=sa.text("state IN ('failed', 'expired')"),
        postgresql_where=sa.text("state IN ('failed', 'expired')"),
    )
    op.create_index("ix_message_user", "message", ["app_id", "user_id", "serial"], unique=False)
    op.create_index("ix_message_verification", "message", ["app_id", "verification_id"], unique=False)
    for statement in _PARTS_OF_NUMBERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """To an empty database; indexes go with their tables."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE user_number_part")
    op.drop_table("message")
    op.drop_table("verification")
    op.drop_table("bearer_token")
    op.drop_table("user")
    op.drop_table("sms_template_version")
    op.drop_table("sms_template_draft")
    op.drop_table("sms_template")
    op.drop_table("segment_price")
    op.drop_table("phone_number_limit")
    op.drop_table("open_country")
    op.drop_table("membership")
    op.drop_table("audit_entry")
    op.drop_table("account_session")
    op.drop_table("periodic_job")
    op.drop_table("app")
    op.drop_table("account")
