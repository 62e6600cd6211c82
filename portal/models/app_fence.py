"""What keeps one app's rows from another's in the database itself? Row security on PostgreSQL (TEN-03).

A transaction says whose rows it is about (services/fences.py): an app's, or those of all apps for what
Ringback does by itself. Whoever says nothing sees no row and writes none. Rows of the installation, which
belong to no app, are there only for whoever sees all.

An index helps a fenced query only by conditions that cannot leak what they compare. LIKE and right() are not
such conditions, so digits of numbers are looked for through a view that has the fence among its own
conditions. It reads by its owner's rights, who may therefore read `user` freely; the app's role is another.
What concerns one account is found in the details of audit entries in the same way, and for all apps only.
"""

from collections.abc import Mapping

from sqlalchemy import DDL, MetaData, event

from portal.models.audit_entry import CONCERNED, IS_OF_ACCOUNTS, AuditEntry
from portal.models.base import Base
from portal.models.user import User

SETTING = "ringback.app_id"
# What a transaction about all apps says; no app has this ID.
ALL_APPS = "*"
POLICY = "app_fence"
READS_FOR_VIEW = "user_by_number_reads"
VIEW = "user_by_number"
VIEW_COLUMNS = (
    "app_id",
    "serial",
    "login_name",
    "phone_number",
    "phone_country",
    "phone_number_verified",
    "pending_phone_number",
    "pending_until",
    "locale",
    "disabled",
    "created_at",
)
READS_FOR_EVENTS = "account_event_reads"
EVENTS = "account_event"
# Asked once for each statement and not for each row.
_SAID = f"(SELECT current_setting('{SETTING}', true))"


def fenced(metadata: MetaData) -> Mapping[str, str]:
    """The tables whose rows belong to apps, each with the column that says to which."""
    found = {name: "app_id" for name, table in metadata.tables.items() if "app_id" in table.c}
    return found | {"app": "id"}


def set_fence(table: str, column: str) -> tuple[str, ...]:
    """The statements that fence a table, and hold its owner to it too."""
    return (
        f"CREATE POLICY {POLICY} ON \"{table}\" USING ({column} = {_SAID} OR {_SAID} = '{ALL_APPS}')",
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    )


SET_VIEW = (
    f'CREATE POLICY {READS_FOR_VIEW} ON "user" FOR SELECT TO CURRENT_USER USING (true)',
    f"""CREATE VIEW {VIEW} AS SELECT {", ".join(VIEW_COLUMNS)} FROM "user"
        WHERE app_id = {_SAID} OR {_SAID} = '{ALL_APPS}'""",  # noqa: S608 - names of ours
)

SET_EVENTS = (
    f"CREATE POLICY {READS_FOR_EVENTS} ON audit_entry FOR SELECT TO CURRENT_USER USING (true)",
    f"""CREATE VIEW {EVENTS} AS SELECT id, {CONCERNED.name} AS account_id FROM audit_entry
        WHERE {IS_OF_ACCOUNTS.text} AND {_SAID} = '{ALL_APPS}'""",  # noqa: S608 - names of ours
)


def _on_postgresql(table: str, when: str, statement: str) -> None:
    ddl = DDL(statement.replace("%", "%%")).execute_if(dialect="postgresql")  # type: ignore[no-untyped-call]
    event.listen(Base.metadata.tables[table], when, ddl)


def fence_all() -> None:
    """Has every table of an app fenced when the metadata makes it; call once all tables are named."""
    for table, column in fenced(Base.metadata).items():
        for statement in set_fence(table, column):
            _on_postgresql(table, "after_create", statement)
    for statement in SET_VIEW:
        _on_postgresql(User.__tablename__, "after_create", statement)
    for statement in SET_EVENTS:
        _on_postgresql(AuditEntry.__tablename__, "after_create", statement)
    # A table that a view reads does not go before it.
    _on_postgresql(User.__tablename__, "before_drop", f"DROP VIEW IF EXISTS {VIEW}")
    _on_postgresql(AuditEntry.__tablename__, "before_drop", f"DROP VIEW IF EXISTS {EVENTS}")
