"""Audit entries that an erasure emptied are marked with the server's key; restarts say what they keep."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To entries that nobody empties without the key. What was begun anew already keeps its seal."""
    op.add_column("audit_entry", sa.Column("emptied", sa.String(128), nullable=True))
    op.add_column("audit_chain", sa.Column("kept_form", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Back to entries without marks. Chains that were begun anew since are taken for broken again."""
    op.drop_column("audit_chain", "kept_form")
    op.drop_column("audit_entry", "emptied")
