"""Broken chains of audit entries can be begun anew; accounts find their events; links may be of nobody."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEPT = "id, app_id, base_sequence, base_hash, head_sequence, head_hash, sealed_at, seal"
_OF_ACCOUNT = "fk_password_reset_account_id_account"
_WHOLE_NAME = "ck_audit_chain_restart_is_whole"
_WHOLE = (
    "(restart_sequence IS NULL) = (restarted_at IS NULL) AND (restarted_at IS NULL) = (kept_hash IS NULL)"
)
_RESTART = {"restart_sequence": sa.BigInteger(), "restarted_at": sa.BigInteger(), "kept_hash": sa.String(64)}
_ACTIONS = """account.created account.signed_in account.signed_out account.sign_in_failed account.confirmed
    account.sign_ins_ended account.password_changed account.password_reset authenticator.added
    authenticator.removed passkey.added passkey.removed recovery_codes.made recovery_code.used member.joined
    member.changed member.removed"""
_OF_ACCOUNTS = f"action IN ({', '.join(repr(action) for action in _ACTIONS.split())})"


def upgrade() -> None:
    """To chains that can go on after they were broken. What is sealed already keeps its seal."""
    if op.get_bind().dialect.name == "sqlite":
        _remake_chains(*_columns(), sa.CheckConstraint(_WHOLE, name=op.f(_WHOLE_NAME)))
        _remake_links()
    else:
        op.drop_constraint(op.f(_OF_ACCOUNT), "password_reset", type_="foreignkey")
        for column in _columns():
            op.add_column("audit_chain", column)
        op.create_check_constraint(op.f(_WHOLE_NAME), "audit_chain", _WHOLE)
    is_of_accounts = sa.text(_OF_ACCOUNTS)
    op.create_index(
        "ix_audit_entry_of_account",
        "audit_entry",
        [sa.text("coalesce(details ->> 'account_id', actor_id)"), "id"],
        sqlite_where=is_of_accounts,
        postgresql_where=is_of_accounts,
    )


def downgrade() -> None:
    """Back to chains that stay broken. Those that were begun anew are taken for broken again."""
    op.drop_index("ix_audit_entry_of_account", "audit_entry")
    op.execute("DELETE FROM password_reset WHERE account_id NOT IN (SELECT id FROM account)")
    if op.get_bind().dialect.name == "sqlite":
        _remake_chains()
        of_account = op.f(_OF_ACCOUNT)
        _remake_links(
            sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=of_account, ondelete="CASCADE")
        )
        return
    to, on = ["id"], ["account_id"]
    op.create_foreign_key(op.f(_OF_ACCOUNT), "password_reset", "account", on, to, ondelete="CASCADE")
    op.drop_constraint(op.f(_WHOLE_NAME), "audit_chain", type_="check")
    for name in _RESTART:
        op.drop_column("audit_chain", name)


def _columns() -> list[sa.Column]:
    return [sa.Column(name, kind, nullable=True) for name, kind in _RESTART.items()]


def _remake_links(*added: sa.ForeignKeyConstraint) -> None:
    op.execute("CREATE TABLE password_reset_before AS SELECT * FROM password_reset")
    op.drop_table("password_reset")
    op.create_table(
        "password_reset",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("account_id", name=op.f("uq_password_reset_account_id")),
        *added,
    )
    kept = "key_hash, account_id, expires_at"
    op.execute(f"INSERT INTO password_reset ({kept}) SELECT {kept} FROM password_reset_before")  # noqa: S608 - names of columns above
    op.drop_table("password_reset_before")


def _remake_chains(*added: sa.Column | sa.CheckConstraint) -> None:
    # SQLite adds no check to a table, so the rows move to a new one. A trigger names it, so it is not renamed.
    op.execute("CREATE TABLE audit_chain_before AS SELECT * FROM audit_chain")
    op.drop_table("audit_chain")
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=True),
        sa.Column("base_sequence", sa.BigInteger(), nullable=False),
        sa.Column("base_hash", sa.String(length=64), nullable=False),
        sa.Column("head_sequence", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "id = coalesce(app_id, 'installation')", name=op.f("ck_audit_chain_is_of_one_app")
        ),
        sa.CheckConstraint(
            "0 <= base_sequence AND base_sequence <= head_sequence", name=op.f("ck_audit_chain_base_and_head")
        ),
        sa.ForeignKeyConstraint(
            ["app_id"], ["app.id"], name=op.f("fk_audit_chain_app_id_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
        *added,
    )
    op.execute(f"INSERT INTO audit_chain ({_KEPT}) SELECT {_KEPT} FROM audit_chain_before")  # noqa: S608 - names of columns above
    op.drop_table("audit_chain_before")
