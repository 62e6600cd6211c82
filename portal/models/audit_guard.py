"""What keeps audit entries as they are in the database itself? Triggers on both databases (PII-07).

An entry changes once, when it is sealed, and loses what it tells of a user who is erased (PII-05), for a
mark: an older process that knows of no marks erases nobody rather than have it taken for tampering. It goes
with its app, or below the base of its chain: the base is sealed too, so that `portal audit verify` finds
whoever moves it to get past these triggers. SQLite drops them along with the table, and refuses to rename a
table that they name: a migration that makes `audit_entry` or `app` anew lifts the guard first, and sets it
again.
"""

from sqlalchemy import DDL, event

from portal.models.audit_chain import INSTALLATION
from portal.models.audit_entry import AuditEntry

_STAYS = "audit entries stay as they are"
_IS_KEPT = f"""(old.app_id IS NULL OR EXISTS (SELECT 1 FROM app WHERE app.id = old.app_id))
    AND NOT EXISTS (SELECT 1 FROM audit_chain WHERE old.sequence <= audit_chain.base_sequence
        AND audit_chain.id = coalesce(old.app_id, '{INSTALLATION}'))"""  # noqa: S608 - a constant of ours
_NAMES = ("id", "app_id", "at", "actor_kind", "actor_id", "action", "user_id")
_SEALS = ("sequence", "hash", "told_hash", "own_hash")


def _is_no_change_of_ours(differ: str, details: str) -> str:
    """Whether an update neither seals an entry nor empties what it tells of a user who was erased."""

    def stays(*names: str) -> str:
        old, new = (", ".join(f"{row}.{each}" for each in names) for row in ("old", "new"))
        return f"NOT (({old}) {differ} ({new}))"

    seals = f"old.sequence IS NULL AND new.sequence IS NOT NULL AND {stays(*_NAMES, 'reason', details)}"
    empties = "old.user_id IS NOT NULL AND new.reason IS NULL"
    empties += f" AND new.{details} = '{{}}' AND {stays(*_NAMES, *_SEALS)}"
    empties += f""" AND (old.sequence IS NULL OR new.emptied IS NOT NULL
        OR (old.emptied IS NULL AND old.reason IS NULL AND old.{details} = '{{}}'))"""
    return f"NOT ({seals}) AND NOT ({empties})"


SET_AUDIT_GUARD = {
    "sqlite": (
        f"""CREATE TRIGGER audit_entry_is_not_changed BEFORE UPDATE ON audit_entry
            WHEN {_is_no_change_of_ours("IS NOT", "details")}
            BEGIN SELECT raise(ABORT, '{_STAYS}'); END""",
        f"""CREATE TRIGGER audit_entry_is_not_removed BEFORE DELETE ON audit_entry
            WHEN {_IS_KEPT}
            BEGIN SELECT raise(ABORT, '{_STAYS}'); END""",
    ),
    "postgresql": (
        # What a foreign key removes or changes comes here too.
        f"""CREATE OR REPLACE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    IF {_is_no_change_of_ours("IS DISTINCT FROM", "details::text")} THEN
                        RAISE EXCEPTION '{_STAYS}';
                    END IF;
                    RETURN new;
                ELSIF TG_OP = 'DELETE' THEN
                    IF {_IS_KEPT} THEN
                        RAISE EXCEPTION '{_STAYS}';
                    END IF;
                    RETURN old;
                END IF;
                RAISE EXCEPTION '{_STAYS}';
            END $$""",
        """CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry
            FOR EACH ROW EXECUTE FUNCTION audit_entry_stays()""",
        """CREATE TRIGGER audit_entry_is_not_emptied BEFORE TRUNCATE ON audit_entry
            FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()""",
    ),
}
LIFT_AUDIT_GUARD = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_entry_is_not_changed",
        "DROP TRIGGER IF EXISTS audit_entry_is_not_removed",
    ),
    "postgresql": (
        "DROP TRIGGER IF EXISTS audit_entry_stays ON audit_entry",
        "DROP TRIGGER IF EXISTS audit_entry_is_not_emptied ON audit_entry",
    ),
}


for _dialect, _statements in SET_AUDIT_GUARD.items():
    for _statement in _statements:
        event.listen(
            AuditEntry.__table__,
            "after_create",
            DDL(_statement).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]
        )
