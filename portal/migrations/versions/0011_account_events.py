"""What concerns one account is found by its index, behind the fences too; SQLite has none."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# As they are at this revision; portal/models/app_fence.py has the ones in force.
_ACTIONS = """account.created account.signed_in account.signed_out account.sign_in_failed account.confirmed
    account.sign_ins_ended account.password_changed account.password_reset authenticator.added
    authenticator.removed passkey.added passkey.removed recovery_codes.made recovery_code.used member.joined
    member.changed member.removed"""
_OF_ACCOUNTS = f"action IN ({', '.join(repr(action) for action in _ACTIONS.split())})"


def upgrade() -> None:
    """To a view with the fence among its own conditions."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE POLICY account_event_reads ON audit_entry FOR SELECT TO CURRENT_USER USING (true)")
    op.execute(
        f"""CREATE VIEW account_event AS SELECT id, coalesce(details ->> 'account_id', actor_id) AS account_id
        FROM audit_entry WHERE {_OF_ACCOUNTS}
        AND (SELECT current_setting('ringback.app_id', true)) = '*'"""  # noqa: S608 - names above
    )


def downgrade() -> None:
    """Back to none, and the log is read whole."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP VIEW account_event")
        op.execute("DROP POLICY account_event_reads ON audit_entry")
