"""By which index is a user found from any three digits or more of a number, current or pending?

PostgreSQL has one for parts of texts (pg_trgm), SQLite a table for searching texts (FTS5) that triggers keep
in step. Neither is a table that the ORM knows, so both are made by these statements alone. PostgreSQL's gives
all that it finds and in no order, so that the last digits, which most people ask for, have indexes of their
own, in the order of the list. Whoever asks for a whole number must not be given one of these, so they are for
rows that have last digits, which a number that is asked for does not say.
"""

from sqlalchemy import DDL, event

from portal.models.user import User

NAME = "user_number_part"

# Each number is followed by a blank, so that the end of one is a part like any other.
# An FTS5 table that keeps no texts forgets a row only when it is told its text again ('delete').
ON_SQLITE = (
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
)
ON_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """CREATE INDEX user_number_part ON "user"
        USING gin (phone_number gin_trgm_ops, pending_phone_number gin_trgm_ops)""",
    """CREATE INDEX user_number_part_end ON "user" (app_id, right(phone_number, 3), serial)
        WHERE right(phone_number, 3) IS NOT NULL""",
    """CREATE INDEX user_number_part_pending_end ON "user" (app_id, right(pending_phone_number, 3), serial)
        WHERE right(pending_phone_number, 3) IS NOT NULL""",
)


def _run(when: str, statement: str, dialect: str) -> None:
    event.listen(User.__table__, when, DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


for _dialect, _statements in (("sqlite", ON_SQLITE), ("postgresql", ON_POSTGRESQL)):
    for _statement in _statements:
        _run("after_create", _statement, _dialect)
# A virtual table does not go with the one that it belongs to.
_run("after_drop", "DROP TABLE IF EXISTS user_number_part", "sqlite")


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a table or index of a database is the ORM's to compare; Alembic asks (include_name)."""
    return kind not in ("table", "index") or not (name or "").startswith(NAME)
