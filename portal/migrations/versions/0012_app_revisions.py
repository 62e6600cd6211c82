"""An app says whether it was changed since it was read: triggers give it a new revision each time."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To a revision of every app; who was read without one is read again."""
    op.add_column("app", sa.Column("revision", sa.String(36), nullable=True))
    for statement in _SET[op.get_bind().dialect.name]:
        op.execute(statement)
    op.execute("UPDATE app SET name = name")


def downgrade() -> None:
    """Back to apps that are read for every SMS."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION revises_app CASCADE")
        op.execute("DROP FUNCTION app_is_revised CASCADE")
    else:
        op.execute("DROP TRIGGER app_is_revised")
        for part, change in _CHANGES:
            op.execute(f"DROP TRIGGER {part}_{change.lower()}_revises_app")
    op.drop_column("app", "revision")


# As they are at this revision; portal/models/app_revision.py has the ones in force.
_CHANGES = [
    (part, change) for part in ("open_country", "sms_template") for change in ("INSERT", "UPDATE", "DELETE")
]
_WHOSE = {"INSERT": "= new.app_id", "UPDATE": "IN (new.app_id, old.app_id)", "DELETE": "= old.app_id"}
_RANDOM = "lower(hex(randomblob(16)))"
_SET = {
    "sqlite": (
        f"""CREATE TRIGGER app_is_revised AFTER UPDATE ON app WHEN new.revision IS old.revision
            BEGIN UPDATE app SET revision = {_RANDOM} WHERE id = new.id; END""",  # noqa: S608 - names above
        *(
            f"""CREATE TRIGGER {part}_{change.lower()}_revises_app AFTER {change} ON {part}
        BEGIN UPDATE app SET revision = {_RANDOM} WHERE id {_WHOSE[change]}; END"""  # noqa: S608
            for part, change in _CHANGES
        ),
    ),
    "postgresql": (
        """CREATE FUNCTION app_is_revised() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                new.revision := replace(gen_random_uuid()::text, '-', '');
                RETURN new;
            END $$""",
        """CREATE TRIGGER app_is_revised BEFORE UPDATE ON app
            FOR EACH ROW EXECUTE FUNCTION app_is_revised()""",
        """CREATE FUNCTION revises_app() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE app SET revision = NULL WHERE id IN (new.app_id, old.app_id);
                RETURN NULL;
            END $$""",
        *(
            f"""CREATE TRIGGER {part}_revises_app AFTER INSERT OR UPDATE OR DELETE ON {part}
                FOR EACH ROW EXECUTE FUNCTION revises_app()"""
            for part in ("open_country", "sms_template")
        ),
    ),
}
