"""How does a backup become an installation again? `portal restore`, into an empty database, in quarantine."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal.cli import backup_keys, schema
from portal.cli.backup import opened
from portal.cli.installation import Installation
from portal.config import Settings

if TYPE_CHECKING:
    from portal.core.erasures import Erased
    from portal.keys import Keys
    from portal.services.backups import Label


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--erasures",
    "journals",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What another machine's `portal erasures list --json` wrote. May be given again.",
)
@click.option("--old-database", metavar="ADDRESS", help="The database that this one replaces: its erasures.")
@click.pass_obj
def restore(
    installation: Installation, file: Path, journals: tuple[Path, ...], old_database: str | None
) -> None:
    """Put the backup in FILE into an empty database, of either kind, and keep it in quarantine.

    The key must be the one that FILE was sealed with: keys.json as it was, or PORTAL_BACKUP_KEY. Open
    verifications and waiting messages are ended, sessions and bearer tokens are gone, and nothing is sent
    until `portal quarantine --open`. All or nothing: a restore that fails leaves the database empty.

    Whoever was erased after the backup is erased from the copy too, before anybody can look at it. That is
    read from the journal in PORTAL_HOME, and from what --erasures and --old-database name.

    \b
    Examples:
      portal restore /backups/ringback-2026-11-28.backup
      PORTAL_DATABASE_URL=postgresql://ringback@db/new portal restore ringback.backup
      portal restore ringback.backup --erasures other.jsonl --old-database postgresql://ringback@db/old

    Exit codes: 0 restored, 1 refused (not empty, wrong key, damaged file, unreadable erasures).
    """
    from portal.cli import database_roles, past_erasures
    from portal.core.backup_file import BrokenBackup

    settings, began = installation.settings, time.monotonic()
    key, _where = backup_keys.of(settings, must_be_there=True)
    erased = past_erasures.gathered(settings, journals, old_database)
    try:
        with opened(file, key) as lines, database_roles.naming_the_owner():
            rows, ended = _restore(settings, lines, erased)
    except (OSError, BrokenBackup) as error:
        raise click.ClickException(f"Nothing was restored: {error}") from error
    click.echo(f"Restored {rows:,} rows in {time.monotonic() - began:.1f} s.")
    click.echo(f"Ended {ended['verifications']} open codes and {ended['messages']} waiting messages.")
    click.echo(f"Erased once more what was erased after the backup: {ended['erasures']} of {len(erased)}.")
    click.echo("The copy is in quarantine: nothing is sent. See: portal quarantine")


def _restore(
    settings: Settings, lines: Iterator[bytes], erased: "list[Erased]"
) -> tuple[int, dict[str, int]]:
    from portal import clock, keys
    from portal.cli import database_roles
    from portal.services import backups, erasures, quarantine

    label, server_keys = backups.label(lines), keys.load(settings.home)
    owner = schema.as_owner(settings)
    _refuse_missing_keys(server_keys, erased, label.at)
    _prepare(settings, label)
    with schema.connected(owner, options={"ringback_write": True}) as connection:
        if not backups.is_empty(connection):
            raise click.ClickException("The database is not empty. Name one that is; nothing was changed.")
        rows = sum(backups.load(connection, lines).values())
        backups.go_on_counting(connection)
        ended = quarantine.begin(connection, label.at, clock.now())
        # In the same transaction, so that no copy is ever there that brings anybody back (PII-05).
        replayed = erasures.replay(connection, erased, server_keys)
        # An upgrade takes entries that are empty for erased where an erasure is on record (PII-07).
        erasures.note(connection, erased)
        connection.commit()
    schema.upgrade(settings)
    with schema.connected(owner, options={"ringback_write": True}) as connection:
        erasures.note(connection, erased)
        # A copy has no processes of an older version that a fence would blind.
        database_roles.put_up(connection)
        connection.commit()
    database_roles.admit_to(settings)
    return rows, ended | {"erasures": len(replayed)}


def _refuse_missing_keys(server_keys: "Keys", erased: "list[Erased]", since: int) -> None:
    """Raises ClickException where a number that was erased after the backup could not be told (PII-06)."""
    from portal.core import number_hashes
    from portal.services.erasure_journal import OVERLAP

    told = {
        number_hashes.version_of(each)
        for one in erased
        if one.erased_at >= since - OVERLAP
        for each in one.number_hashes
    }
    if missing := told - set(number_hashes.erasure_keys(server_keys)):
        listed = ", ".join(map(str, sorted(missing)))
        lack = f"keys.json lacks hashing key {listed}, by which erased numbers are known"
        raise click.ClickException(f"{lack}: copy the newest keys.json here. Nothing was restored.")


def _prepare(settings: Settings, label: "Label") -> None:
    """Gives an empty database the tables of the backup. Raises ClickException where that cannot be."""
    from portal import revisions

    if label.schema not in revisions.known():
        raise click.ClickException(f"A newer Ringback made this backup (schema {label.schema}): install it.")
    found = schema.found(schema.as_owner(settings))
    if found is None:
        schema.upgrade(settings, label.schema)
    elif found != label.schema:
        raise click.ClickException(
            f"The backup has schema {label.schema}, and the database {found}. Name one without any table."
        )
