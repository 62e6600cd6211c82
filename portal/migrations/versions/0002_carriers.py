"""Carriers with their credentials, messages set aside, and what running many processes needs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATES_BEFORE = "state IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'expired')"
_STATES = "state IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'expired', 'dead')"
_NOT_SENT_BEFORE = "state IN ('failed', 'expired')"
_NOT_SENT = "state IN ('failed', 'expired', 'dead')"
_HANDED_OVER = "provider_id IS NOT NULL AND provider_reference IS NOT NULL"
_UNDER_WAY = "state IN ('queued', 'sending')"
# What of a message both schemas have.
_KEPT = """serial, id, app_id, user_id, account_id, phone_number, country, purpose, locale,
    sms_template_version_id, "values", verification_id, issue, state, reason, provider, provider_reference,
    provider_words, attempts, due_at, lease, created_at, sent_at, ended_at"""


def upgrade() -> None:
    """To carriers of one's own."""
    _add_tables()
    if op.get_bind().dialect.name == "sqlite":
        _remake_messages(_STATES, _ADDED, "unsure_attempts", "0")
    else:
        op.add_column("message", sa.Column("provider_id", sa.String(length=36), nullable=True))
        op.add_column(
            "message", sa.Column("unsure_attempts", sa.Integer(), server_default="0", nullable=False)
        )
        op.alter_column("message", "unsure_attempts", server_default=None)
        op.add_column("message", sa.Column("redriven_at", sa.BigInteger(), nullable=True))
        _change_states(_STATES)
        op.drop_index("ix_message_not_sent", "message")
        _index_not_sent(_NOT_SENT)
    _index_references()
    _index("ix_message_turn", ["app_id", "due_at"], _UNDER_WAY)


def downgrade() -> None:
    """Back to the inbox and the console; what was set aside has failed."""
    op.execute("UPDATE message SET state = 'failed' WHERE state = 'dead'")
    op.drop_index("ix_message_reference", "message")
    op.drop_index("ix_message_turn", "message")
    if op.get_bind().dialect.name == "sqlite":
        _remake_messages(_STATES_BEFORE, ())
    else:
        op.drop_index("ix_message_not_sent", "message")
        _index_not_sent(_NOT_SENT_BEFORE)
        _change_states(_STATES_BEFORE)
        op.drop_column("message", "redriven_at")
        op.drop_column("message", "unsure_attempts")
        op.drop_column("message", "provider_id")
    for table in ("provider", "idempotency_key", "worker_beat", "quarantine", "alarm"):
        op.drop_table(table)


_ADDED = (
    sa.Column("provider_id", sa.String(length=36), nullable=True),
    sa.Column("unsure_attempts", sa.Integer(), nullable=False),
    sa.Column("redriven_at", sa.BigInteger(), nullable=True),
)


def _change_states(states: str) -> None:
    op.drop_constraint(op.f("ck_message_state"), "message", type_="check")
    op.create_check_constraint(op.f("ck_message_state"), "message", states)


def _index_not_sent(states: str) -> None:
    _index("ix_message_not_sent", ["app_id", "serial"], states)


def _index_references() -> None:
    _index("ix_message_reference", ["provider_id", "provider_reference"], _HANDED_OVER)


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "message", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _remake_messages(states: str, added: tuple[sa.Column, ...], column: str = "", value: str = "") -> None:
    # SQLite changes no check of a table, so the rows move to a new one; nothing points at messages.
    for index in ("account", "app", "due", "not_sent", "user", "verification"):
        op.drop_index(f"ix_message_{index}", "message")
    op.rename_table("message", "message_before")
    _create_messages(states, added)
    into, given = (f"{_KEPT}, {column}", f"{_KEPT}, {value}") if column else (_KEPT, _KEPT)
    op.execute(f"INSERT INTO message ({into}) SELECT {given} FROM message_before")  # noqa: S608 - names of columns above
    op.drop_table("message_before")
    op.create_index("ix_message_account", "message", ["account_id", "created_at"])
    op.create_index("ix_message_app", "message", ["app_id", "serial"])
    _index("ix_message_due", ["due_at"], _UNDER_WAY)
    _index_not_sent(_NOT_SENT if added else _NOT_SENT_BEFORE)
    op.create_index("ix_message_user", "message", ["app_id", "user_id", "serial"])
    op.create_index("ix_message_verification", "message", ["app_id", "verification_id"])


def _create_messages(states: str, added: tuple[sa.Column, ...]) -> None:
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
            states,
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
        *added,
    )


def _add_tables() -> None:
    op.create_table(
        "alarm",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=36), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told_level", sa.String(length=8), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", "about", name=op.f("pk_alarm")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("backup_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_quarantine_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "worker_beat",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_beat")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(status IS NULL) = (answer IS NULL)", name=op.f("ck_idempotency_key_answer_is_whole")
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_idempotency_key_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_id", "route", "key_hash", name=op.f("pk_idempotency_key")),
    )
    op.create_index("ix_idempotency_key_created_at", "idempotency_key", ["created_at"])
    _add_providers()


def _add_providers() -> None:
    op.create_table(
        "provider",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sealing_key_version", sa.Integer(), nullable=True),
        sa.Column("secret_last4", sa.String(length=4), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("last_failure_at", sa.BigInteger(), nullable=True),
        sa.Column("last_failure_reason", sa.String(length=40), nullable=True),
        sa.CheckConstraint(
            "kind IN ('twilio', 'vonage', 'http', 'kannel', 'smpp')", name=op.f("ck_provider_kind")
        ),
        sa.CheckConstraint(
            "(sealed IS NULL) = (sealing_key_version IS NULL)", name=op.f("ck_provider_sealed_is_whole")
        ),
        sa.CheckConstraint("failures_in_row >= 0", name=op.f("ck_provider_failures_in_row")),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_provider_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("app_id", "id", name=op.f("uq_provider_app_id_id")),
    )
    op.create_index("ix_provider_app", "provider", ["app_id", "position"])
