"""Audit entries are sealed into a chain for each app and one for the installation, and stay as they are."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEPT = "id, app_id, at, actor_kind, actor_id, action, user_id, reason, details"
_BY_ACCOUNT = "actor_kind = 'account'"
_IS_KEPT = """(old.app_id IS NULL OR EXISTS (SELECT 1 FROM app WHERE app.id = old.app_id))
    AND NOT EXISTS (SELECT 1 FROM audit_chain WHERE old.sequence <= audit_chain.base_sequence
        AND audit_chain.id = coalesce(old.app_id, 'installation'))"""


def upgrade() -> None:
    """To entries that can be sealed; those that are there already are sealed by the first worker."""
    _add_chains()
    if op.get_bind().dialect.name == "sqlite":
        _remake_entries((_SEQUENCE, _HASH, _TOLD_HASH, sa.CheckConstraint(_WHOLE, name=op.f(_WHOLE_NAME))))
    else:
        op.add_column("audit_entry", _SEQUENCE)
        op.add_column("audit_entry", _HASH)
        op.add_column("audit_entry", _TOLD_HASH)
        op.create_check_constraint(op.f(_WHOLE_NAME), "audit_entry", _WHOLE)
    _index("ix_audit_entry_unsealed", ["id"], "sequence IS NULL")
    _index("uq_audit_entry_sequence", ["app_id", "sequence"], "sequence IS NOT NULL", unique=True)
    of_no_app = "sequence IS NOT NULL AND app_id IS NULL"
    _index("uq_audit_entry_installation_sequence", ["sequence"], of_no_app, unique=True)
    for statement in _guard():
        op.execute(statement)


def downgrade() -> None:
    """Back to plain rows; what was sealed is forgotten."""
    if op.get_bind().dialect.name == "sqlite":
        for trigger in ("audit_entry_is_not_changed", "audit_entry_is_not_removed"):
            op.execute(f"DROP TRIGGER {trigger}")
    else:
        op.execute("DROP FUNCTION audit_entry_stays CASCADE")
    for index in ("ix_audit_entry_unsealed", *_UNIQUE):
        op.drop_index(index, "audit_entry")
    if op.get_bind().dialect.name == "sqlite":
        _remake_entries(())
    else:
        op.drop_constraint(op.f(_WHOLE_NAME), "audit_entry", type_="check")
        op.drop_column("audit_entry", "told_hash")
        op.drop_column("audit_entry", "hash")
        op.drop_column("audit_entry", "sequence")
    op.drop_table("audit_chain")


_SEQUENCE = sa.Column("sequence", sa.BigInteger(), nullable=True)
_HASH = sa.Column("hash", sa.String(length=64), nullable=True)
_TOLD_HASH = sa.Column("told_hash", sa.String(length=64), nullable=True)
_WHOLE = "(sequence IS NULL) = (hash IS NULL) AND (hash IS NULL) = (told_hash IS NULL)"
_WHOLE_NAME = "ck_audit_entry_sealed_is_whole"
_UNIQUE = ("uq_audit_entry_sequence", "uq_audit_entry_installation_sequence")


def _index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    wheres = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    op.create_index(name, "audit_entry", columns, unique=unique, **wheres)


def _add_chains() -> None:
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
    )


def _remake_entries(added: Sequence[sa.Column | sa.CheckConstraint]) -> None:
    # SQLite adds no check to a table, so the rows move to a new one; nothing points at entries.
    for index in ("account", "app", "user"):
        op.drop_index(f"ix_audit_entry_{index}", "audit_entry")
    op.rename_table("audit_entry", "audit_entry_before")
    _create_entries(added)
    op.execute(f"INSERT INTO audit_entry ({_KEPT}) SELECT {_KEPT} FROM audit_entry_before")  # noqa: S608 - names of columns above
    op.drop_table("audit_entry_before")
    _index("ix_audit_entry_account", ["actor_id", "action", "at"], _BY_ACCOUNT)
    op.create_index("ix_audit_entry_app", "audit_entry", ["app_id", "id"])
    op.create_index("ix_audit_entry_user", "audit_entry", ["app_id", "user_id", "id"])


def _create_entries(added: Sequence[sa.Column | sa.CheckConstraint]) -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
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
        *added,
    )


_NAMES = ("id", "app_id", "at", "actor_kind", "actor_id", "action", "user_id")
_SEALS = ("sequence", "hash", "told_hash")


def _is_no_change_of_ours(differ: str, details: str) -> str:
    """Whether an update neither seals an entry nor empties what it tells of a user who was erased."""

    def stays(*names: str) -> str:
        old, new = (", ".join(f"{row}.{each}" for each in names) for row in ("old", "new"))
        return f"NOT (({old}) {differ} ({new}))"

    seals = f"old.sequence IS NULL AND new.sequence IS NOT NULL AND {stays(*_NAMES, 'reason', details)}"
    empties = "old.user_id IS NOT NULL AND new.reason IS NULL"
    empties += f" AND new.{details} = '{{}}' AND {stays(*_NAMES, *_SEALS)}"
    return f"NOT ({seals}) AND NOT ({empties})"


def _guard() -> tuple[str, ...]:
    # As they were written down at this revision; portal/models/audit_guard.py has the ones in force.
    if op.get_bind().dialect.name == "sqlite":
        return (
            f"""CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_entry
            WHEN {_is_no_change_of_ours("IS NOT", "details")}
            BEGIN SELECT raise(ABORT, 'audit entries stay as they are'); END""",
            f"""CREATE TRIGGER audit_entry_is_not_removed BEFORE DELETE ON audit_entry
            WHEN {_IS_KEPT}
            BEGIN SELECT raise(ABORT, 'audit entries stay as they are'); END""",
        )
    return (
        f"""CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF {_is_no_change_of_ours("IS DISTINCT FROM", "details::text")} THEN
                        RAISE EXCEPTION 'audit entries stay as they are';
                    END IF;
                    RETURN new;
                ELSIF TG_OP = 'DELETE' THEN
                    IF {_IS_KEPT} THEN
                        RAISE EXCEPTION 'audit entries stay as they are';
                    END IF;
                    RETURN old;
                END IF;
                RAISE EXCEPTION 'audit entries stay as they are';
            END $$""",
        """CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry
            FOR EACH ROW EXECUTE FUNCTION audit_entry_stays()""",
        """CREATE TRIGGER audit_entry_is_not_emptied BEFORE TRUNCATE ON audit_entry
            FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()""",
    )
