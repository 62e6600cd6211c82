"""Has an app been changed since it was read? Triggers on both databases give it a new revision each time.

Settings, open countries and SMS templates in force are read for every SMS and change once in a month. Who has
seen a revision knows them until there is another one. It is random and no number that counts up, so that one
of a database that was restored is never taken for another of the same app.
"""

from sqlalchemy import DDL, event

from portal.models.base import Base

# What an app's revision speaks for beside its own row.
_PARTS = ("open_country", "sms_template")
_NEW = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "replace(gen_random_uuid()::text, '-', '')"}


def _of_part_in_sqlite(part: str, change: str, whose: str) -> str:
    return f"""CREATE TRIGGER {part}_{change.lower()}_revises_app AFTER {change} ON {part}
        BEGIN UPDATE app SET revision = {_NEW["sqlite"]} WHERE id {whose}; END"""  # noqa: S608 - ours


SET_ON_APP = {
    "sqlite": (
        f"""CREATE TRIGGER app_is_revised AFTER UPDATE ON app WHEN new.revision IS old.revision
            BEGIN UPDATE app SET revision = {_NEW["sqlite"]} WHERE id = new.id; END""",  # noqa: S608 - ours
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION app_is_revised() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                new.revision := {_NEW["postgresql"]};
                RETURN new;
            END $$""",
        """CREATE TRIGGER app_is_revised BEFORE UPDATE ON app
            FOR EACH ROW EXECUTE FUNCTION app_is_revised()""",
        # The update itself is what revises.
        """CREATE OR REPLACE FUNCTION revises_app() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                UPDATE app SET revision = NULL WHERE id IN (new.app_id, old.app_id);
                RETURN NULL;
            END $$""",
    ),
}
SET_ON_PARTS = {
    part: {
        "sqlite": tuple(
            _of_part_in_sqlite(part, change, whose)
            for change, whose in (
                ("INSERT", "= new.app_id"),
                ("UPDATE", "IN (new.app_id, old.app_id)"),
                ("DELETE", "= old.app_id"),
            )
        ),
        "postgresql": (
            f"""CREATE TRIGGER {part}_revises_app AFTER INSERT OR UPDATE OR DELETE ON {part}
                FOR EACH ROW EXECUTE FUNCTION revises_app()""",
        ),
    }
    for part in _PARTS
}


def revise_all() -> None:
    """Has the triggers made with the tables; call once all tables are named."""
    for table, of_dialects in {"app": SET_ON_APP, **SET_ON_PARTS}.items():
        for dialect, statements in of_dialects.items():
            for each in statements:
                ddl = DDL(each).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
                event.listen(Base.metadata.tables[table], "after_create", ddl)
