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
    from portal.services.backups import Label


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def restore(installation: Installation, file: Path) -> None:
    """Put the backup in FILE into an empty database, of either kind, and keep it in quarantine.

    The key must be the one that FILE was sealed with: keys.json as it was, or PORTAL_BACKUP_KEY. Open
    verifications and waiting messages are ended, sessions and bearer tokens are gone, and nothing is sent
    until `portal quarantine --open`. All or nothing: a restore that fails leaves the database empty.

    \b
    Examples:
      portal restore /backups/ringback-2026-11-28.backup
      PORTAL_DATABASE_URL=postgresql://ringback@db/new portal restore ringback.backup

    Exit codes: 0 restored, 1 refused (not empty, wrong key, damaged file).
    """
    from portal.core.backup_file import BrokenBackup

    settings, began = installation.settings, time.monotonic()
    key, _where = backup_keys.of(settings, must_be_there=True)
    try:
        with opened(file, key) as lines:
            rows, ended = _restore(settings, lines)
    except (OSError, BrokenBackup) as error:
        raise click.ClickException(f"Nothing was restored: {error}") from error
    click.echo(f"Restored {rows:,} rows in {time.monotonic() - began:.1f} s.")
    click.echo(f"Ended {ended['verifications']} open codes and {ended['messages']} waiting messages.")
    click.echo("The copy is in quarantine: nothing is sent. See: portal quarantine")


def _restore(settings: Settings, lines: Iterator[bytes]) -> tuple[int, dict[str, int]]:
    from portal import clock
    from portal.services import backups, quarantine

    label = backups.label(lines)
    _prepare(settings, label)
    with schema.connected(settings, options={"ringback_write": True}) as connection:
        if not backups.is_empty(connection):
            raise click.ClickException("The database is not empty. Name one that is; nothing was changed.")
        rows = sum(backups.load(connection, lines).values())
        backups.go_on_counting(connection)
        ended = quarantine.begin(connection, label.at, clock.now())
        connection.commit()
    schema.upgrade(settings)
    return rows, ended


def _prepare(settings: Settings, label: "Label") -> None:
    """Gives an empty database the tables of the backup. Raises ClickException where that cannot be."""
    from portal import revisions

    if label.schema not in revisions.known():
        raise click.ClickException(f"A newer Ringback made this backup (schema {label.schema}): install it.")
    found = schema.found(settings)
    if found is None:
        schema.upgrade(settings, label.schema)
    elif found != label.schema:
        raise click.ClickException(
            f"The backup has schema {label.schema}, and the database {found}. Name one without any table."
        )
