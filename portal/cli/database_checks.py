"""Is the database as Ringback needs it, and does somebody work on it? Schema, clocks, workers, carriers."""

import time
from collections.abc import Iterator

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal import clock, database, keys, revisions
from portal.cli import database_roles, schema
from portal.cli.findings import Finding, bad, note, ok
from portal.cli.refusals import line_for
from portal.config import Settings, WrongSetting
from portal.core import credentials
from portal.core.alarms import AlarmName, Level
from portal.core.sealing import BrokenSeal
from portal.models import Provider
from portal.services import alarm_news, audit_heads, beats, database_timelines, quarantine

_MIGRATE = "Run: portal migrate"
# Clocks that differ by more than this (ms) are noted, and by more than that are wrong.
_SLIGHT, _WRONG = 2 * clock.SECOND, 30 * clock.SECOND


def look(settings: Settings) -> Iterator[Finding]:
    """What is found; without a database only that."""
    began = time.monotonic()
    try:
        with schema.connected(settings) as connection:
            yield ok("database", f"{connection.dialect.name} answers in {_ms_since(began)} ms.")
            yield from _promises(connection)
            yield _clock(connection)
            yield from _rows(settings, connection)
    except schema.WrongSchema as error:
        yield bad("schema", error.message, "")
    except (SQLAlchemyError, WrongSetting, database.WrongPragma) as error:
        says = line_for(error) or "It cannot be used."
        yield bad(
            "database",
            says,
            "See PORTAL_DATABASE_URL (a password in it is percent-encoded), and whether it runs.",
        )


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * clock.SECOND)


def _promises(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        # Connecting has set and read them back (DAT-01).
        yield ok("promises", "SQLite writes ahead, waits for the disk and keeps foreign keys.")
        return
    if database_timelines.reads_only(connection):
        says = "PostgreSQL takes no writes here: a standby, or a database that is set to be read only."
        yield bad("writes", says, "Name the primary in PORTAL_DATABASE_URL: README, PostgreSQL.")
    is_safe = connection.scalar(text("SHOW synchronous_commit")) != "off"
    if is_safe and connection.scalar(text("SHOW fsync")) == "on":
        yield ok("promises", "PostgreSQL waits for the disk before it says that something is written.")
    else:
        says = "PostgreSQL does not wait for the disk, and may forget what was answered."
        yield bad("promises", says, "Switch fsync and synchronous_commit on.")
    if connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")) is None:
        yield bad("pg_trgm", "The extension that look-ups of numbers need is missing.", _MIGRATE)


def _clock(connection: Connection) -> Finding:
    if connection.dialect.name == "sqlite":
        return ok("clock", "The database is on this machine.")
    before = clock.now()
    there = connection.scalar(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")) or 0
    # What the answer took is no difference of the clocks.
    off = max(0, before - there, there - clock.now())
    says = f"The database's differs by {off / clock.SECOND:.1f} s."
    if off > _WRONG:
        return bad("clock", says, "Set both by NTP: codes and limits go by the time.")
    return note("clock", says, "Set both by NTP.") if off > _SLIGHT else ok("clock", says)


def _rows(settings: Settings, connection: Connection) -> Iterator[Finding]:
    found = revisions.found(connection)
    if found != revisions.needed():
        says = f"It is {found or 'not there'}, and this Ringback needs {revisions.needed()}."
        yield bad("schema", says, _MIGRATE)
        return
    yield ok("schema", f"It is {found}.")
    if connection.dialect.name == "postgresql":
        yield _fences(connection)
    with Session(connection) as session:
        yield _workers(session)
        yield from _alarms(session)
        yield _quarantine(session)
        yield _audit_log(session)
        yield from _carriers(session, settings)


def _fences(connection: Connection) -> Finding:
    if not database_roles.is_fenced(connection):
        says = "Only queries keep one app's rows from another."
        return bad("fences", says, database_roles.PUT_UP)
    role = database_roles.standing(connection)
    if role.passes:
        says = f"{role.name} is a superuser or has BYPASSRLS, whom PostgreSQL fences off from nothing."
        return bad("fences", says, "Work as a role that owns no table: README, PostgreSQL.")
    if role.owns:
        past = "reads `user` and `audit_entry` past their fences"
        says = f"{role.name} owns the tables: it {past}, and could take all of them down."
        return note("fences", says, "Set PORTAL_OWNER_DATABASE_URL to another role: README, PostgreSQL.")
    return ok("fences", f"Apps are fenced off from each other, and {role.name} cannot change that.")


def _workers(session: Session) -> Finding:
    alive, last = beats.alive(session, clock.now()), beats.last_at(session)
    if alive:
        return ok("workers", f"{alive} alive.")
    seen = "None is running" if last is None else f"The last was seen {clock.as_datetime(last):%c} UTC"
    return bad("workers", f"{seen}: nothing is sent.", "Run: portal serve, or portal worker")


def _alarms(session: Session) -> Iterator[Finding]:
    # Workers have a line of their own.
    standing = [each for each in alarm_news.standing(session) if each.name != AlarmName.WORKER_DEAD]
    for each in standing:
        sentence = next((name.sentence for name in AlarmName if name.value == each.name), each.name)
        about = f" ({each.about})" if each.about else ""
        says = f"{each.name}{about} since {clock.as_datetime(each.since):%c} UTC."
        yield (bad if each.level == Level.PAGE else note)("alarm", says, sentence)
    if not standing:
        yield ok("alarm", "None stands.")


def _quarantine(session: Session) -> Finding:
    if quarantine.is_on(session):
        return bad("quarantine", "This is a restored copy that sends nothing.", "Run: portal quarantine")
    return ok("quarantine", "None: messages leave.")


def _audit_log(session: Session) -> Finding:
    if waiting := audit_heads.unsealed(session, clock.now()):
        says = f"{waiting} entries wait to be sealed for more than a minute."
        return bad("audit", says, "Run a worker; if one runs: portal audit verify")
    return ok(
        "audit", "Its entries are sealed. Workers look whether they hold; `portal audit verify` does at once."
    )


def _carriers(session: Session, settings: Settings) -> Iterator[Finding]:
    try:
        sealing = keys.require(settings.home).sealing
    except keys.WrongKeys:
        # The keys have a line of their own.
        return
    rows = list(session.scalars(select(Provider).order_by(Provider.app_id, Provider.position)))
    for row in rows:
        where = f"{row.label} ({row.kind}) of app {row.app_id}"
        try:
            credentials.open_up(sealing, row.app_id, row.id, row.sealing_key_version, row.sealed)
        except BrokenSeal:
            says = f"The credentials of {where} do not open with this keys.json."
            yield bad("carrier", says, "Restore keys.json, or enter them again on the app's Provider page.")
            continue
        if row.is_on and row.paused_until is not None and row.failures_in_row:
            failed = "once" if row.failures_in_row == 1 else f"{row.failures_in_row} times in a row"
            yield bad("carrier", f"{where} is paused.", f"It failed {failed}.")
        else:
            yield ok("carrier", f"{where} is {'on' if row.is_on else 'off'}.")
    if not rows:
        yield ok("carrier", "There is none: no app sends to real phones.")
