"""Each table of an app gets a fence, which PostgreSQL keeps below every query; SQLite has nothing like it.

A database that holds apps already may have processes of the version before at work, which say nothing of
whose rows they are about and would see none. There the fences are only prepared; `portal migrate --fence`
puts them up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To policies on every table of an app, in force at once where there is no app yet."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, column in _FENCED.items():
        op.execute(
            f"CREATE POLICY app_fence ON \"{table}\" USING ({column} = {_SAID} OR {_SAID} = '*')",
        )
    op.execute('CREATE POLICY user_by_number_reads ON "user" FOR SELECT TO CURRENT_USER USING (true)')
    op.execute(
        f"""CREATE VIEW user_by_number AS SELECT {_VIEWED} FROM "user"
        WHERE app_id = {_SAID} OR {_SAID} = '*'"""  # noqa: S608 - names above
    )
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT 1 FROM app)")):
        return
    for table in _FENCED:
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')


def downgrade() -> None:
    """Back to rows that only queries keep apart."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP VIEW user_by_number")
    op.execute('DROP POLICY user_by_number_reads ON "user"')
    for table in _FENCED:
        op.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY')
        op.execute(f'DROP POLICY app_fence ON "{table}"')


# As they are at this revision; portal/models/app_fence.py has the ones in force.
_SAID = "(SELECT current_setting('ringback.app_id', true))"
_VIEWED = """app_id, serial, login_name, phone_number, phone_country, phone_number_verified,
    pending_phone_number, pending_until, locale, disabled, created_at"""
_FENCED = {
    "app": "id",
    **dict.fromkeys(
        (
            "access_key",
            "audit_chain",
            "audit_entry",
            "bearer_token",
            "erasure",
            "idempotency_key",
            "invite",
            "membership",
            "message",
            "open_country",
            "phone_number_limit",
            "provider",
            "segment_price",
            "sms_template",
            "sms_template_draft",
            "sms_template_version",
            "unmatched_receipt",
            "user",
            "verification",
        ),
        "app_id",
    ),
}
