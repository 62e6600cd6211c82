"""An app's keys become rows of their own, two of a kind at once, and tokens know the key they came by."""

import hashlib
import secrets

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The newest of each kind is what an app goes back to.
_NEWEST = """SELECT {column} FROM access_key AS it WHERE it.app_id = app.id AND it.kind = '{kind}'
    AND it.ended_at IS NULL ORDER BY it.created_at DESC, it.slot DESC LIMIT 1"""
_MOVED = {
    "key": (64, "value", "app_key"),
    "client_secret_hash": (64, "key_hash", "client_secret"),
    "client_secret_last4": (4, "last4", "client_secret"),
}
_KEPT = "token_hash, app_id, user_id, kind, expires_at, created_at"


def upgrade() -> None:
    """To two live keys of a kind. Apps keep their keys, and what was got with them goes on."""
    _add_access_keys()
    _move_keys()
    _remake_tokens("access_key_id")
    for column in _MOVED:
        op.drop_column("app", column)


def downgrade() -> None:
    """Back to one key of a kind, the newest one."""
    for column, (length, _source, _kind) in _MOVED.items():
        op.add_column("app", sa.Column(column, sa.String(length=length), server_default="", nullable=False))
    for column, (_length, source, kind) in _MOVED.items():
        newest = _NEWEST.format(column=source, kind=kind)
        op.execute(f"UPDATE app SET {column} = ({newest})")  # noqa: S608 - names of columns above
    if op.get_bind().dialect.name == "postgresql":
        for column in _MOVED:
            op.alter_column("app", column, server_default=None)
    _remake_tokens()
    op.drop_table("access_key")


def _move_keys() -> None:
    bind = op.get_bind()
    apps = bind.execute(
        sa.text("SELECT id, key, client_secret_hash, client_secret_last4, created_at FROM app")
    )
    for app in apps.all():
        app_key = {
            "kind": "app_key",
            "key_hash": hashlib.sha256(app.key.encode()).hexdigest(),
            "value": app.key,
            "last4": app.key[-4:],
        }
        secret = {
            "kind": "client_secret",
            "key_hash": app.client_secret_hash,
            "value": None,
            "last4": app.client_secret_last4,
        }
        _add_key(app, app_key, "app.created")
        _add_key(app, secret, "app.secret_regenerated")


def _add_key(app: sa.Row, key: dict[str, str | None], made_by: str) -> None:
    # The audit log knows who made a key and when, as long as it is kept; else the app's own time stands in.
    made = op.get_bind().execute(_MADE, {"app_id": app.id, "action": made_by}).first()
    op.get_bind().execute(
        _ADD,
        key
        | {
            "id": secrets.token_hex(16),
            "app_id": app.id,
            "created_by": made.account_id if made else None,
            "created_at": made.at if made else app.created_at,
        },
    )


_MADE = sa.text(
    """SELECT audit_entry.at, account.id AS account_id FROM audit_entry
    LEFT JOIN account ON actor_kind = 'account' AND account.id = actor_id
    WHERE audit_entry.app_id = :app_id AND action IN (:action, 'app.created')
    ORDER BY audit_entry.id DESC LIMIT 1"""
)
_ADD = sa.text(
    """INSERT INTO access_key (id, app_id, kind, slot, key_hash, value, last4, created_by, created_at)
    VALUES (:id, :app_id, :kind, 1, :key_hash, :value, :last4, :created_by, :created_at)"""
)


def _remake_tokens(*added: str) -> None:
    """Tokens move to a new table: SQLite adds no foreign key to one that is there. Nothing points at them."""
    for index in ("app_id_user_id", "expires_at"):
        op.drop_index(f"ix_bearer_token_{index}", "bearer_token")
    # Names of constraints would be in the way on PostgreSQL, where they are the schema's.
    op.execute("CREATE TABLE bearer_token_before AS SELECT * FROM bearer_token")
    op.drop_table("bearer_token")
    _create_tokens(bool(added))
    into, given = _KEPT, _KEPT
    if added:
        # Every admin token was got with the one secret that there was.
        into, given = f"{_KEPT}, {added[0]}", f"{_KEPT}, CASE WHEN kind = 'admin' THEN ({_ONE_KEY}) END"
    op.execute(f"INSERT INTO bearer_token ({into}) SELECT {given} FROM bearer_token_before")  # noqa: S608 - names of columns above
    op.drop_table("bearer_token_before")
    op.create_index(op.f("ix_bearer_token_app_id_user_id"), "bearer_token", ["app_id", "user_id"])
    op.create_index(op.f("ix_bearer_token_expires_at"), "bearer_token", ["expires_at"])


_ONE_KEY = """SELECT it.id FROM access_key AS it
    WHERE it.app_id = bearer_token_before.app_id AND it.kind = 'client_secret'"""


def _create_tokens(with_keys: bool) -> None:
    of_keys: tuple[sa.Column | sa.Constraint, ...] = ()
    if with_keys:
        of_keys = (
            sa.Column("access_key_id", sa.String(length=36), nullable=True),
            sa.CheckConstraint(
                "kind <> 'admin' OR access_key_id IS NOT NULL",
                name=op.f("ck_bearer_token_admin_tokens_have_keys"),
            ),
            sa.ForeignKeyConstraint(
                ["app_id", "access_key_id"],
                ["access_key.app_id", "access_key.id"],
                name=op.f("fk_bearer_token_app_id_access_key_id_access_key"),
                ondelete="CASCADE",
            ),
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
        *of_keys,
    )


def _add_access_keys() -> None:
    op.create_table(
        "access_key",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=True),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_on", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('app_key', 'client_secret')", name=op.f("ck_access_key_kind")),
        sa.CheckConstraint("slot IN (1, 2)", name=op.f("ck_access_key_slot")),
        sa.CheckConstraint(
            "(kind = 'app_key') = (value IS NOT NULL)",
            name=op.f("ck_access_key_only_public_keys_are_readable"),
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_access_key_app_id_app"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["account.id"],
            name=op.f("fk_access_key_created_by_account"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_key")),
        sa.UniqueConstraint("app_id", "id", name=op.f("uq_access_key_app_id_id")),
        sa.UniqueConstraint("app_id", "kind", "key_hash", name=op.f("uq_access_key_app_id_kind_key_hash")),
    )
    is_live = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_access_key_live",
        "access_key",
        ["app_id", "kind", "slot"],
        unique=True,
        sqlite_where=is_live,
        postgresql_where=is_live,
    )
