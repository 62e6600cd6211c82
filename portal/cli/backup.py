"""How is a running installation backed up? `portal backup`: one moment of all rows, in one sealed file."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import click

from portal.cli import backup_keys, schema
from portal.cli.installation import Installation
from portal.config import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(installation: Installation, file: Path) -> None:
    """Write everything that is in the database into FILE, while servers and workers go on.

    FILE is sealed: without its key, which is in keys.json (or PORTAL_BACKUP_KEY), nobody reads it. It does
    not hold keys.json, so keep a copy of that too, in another place. A file that is there is never replaced.
    The backup is read again before it gets its name.

    \b
    Examples:
      portal backup /backups/ringback-$(date +%F).backup
      PORTAL_BACKUP_KEY=... portal backup ringback.backup

    Exit codes: 0 written and checked, 1 refused or failed (there is no FILE then).
    """
    from portal.core.backup_file import BrokenBackup

    settings, began = installation.settings, time.monotonic()
    installation.require_schema()
    if file.exists():
        raise click.ClickException(f"{file} is there already. Choose another name.")
    key, where = backup_keys.of(settings)
    try:
        with _draft_of(file) as draft:
            _write(settings, draft, key)
            rows = _check(draft, key)
            _name(draft, file)
    except (OSError, BrokenBackup) as error:
        raise click.ClickException(f"No backup was made: {error}") from error
    size, seconds = file.stat().st_size, time.monotonic() - began
    click.echo(f"Backed up {rows:,} rows into {file} ({size:,} bytes, {seconds:.1f} s).")
    click.echo(f"Its key is in {where}.")


def _write(settings: Settings, draft: Path, key: bytes) -> None:
    from portal import clock, revisions
    from portal.core.backup_file import Writer
    from portal.services import backups, one_moment

    options = one_moment.options(is_sqlite=settings.sqlalchemy_url.startswith("sqlite"))
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with schema.connected(settings, options=options) as connection:
            writer = Writer(file, key)
            for line in backups.write(connection, revisions.needed(), clock.now()):
                writer.write(line)
            writer.close()
        file.flush()
        os.fsync(file.fileno())


def _check(draft: Path, key: bytes) -> int:
    from portal.services import backups

    with opened(draft, key) as lines:
        backups.label(lines)
        return sum(backups.count(lines).values())


@contextmanager
def opened(path: Path, key: bytes) -> Iterator[Iterator[bytes]]:
    """The lines of a backup file. Raises BrokenBackup, for a backup that is not whole too."""
    from portal.core import backup_file
    from portal.services.backups import NoBackup

    file: BinaryIO
    with path.open("rb") as file:
        try:
            yield backup_file.read(file, key)
        except NoBackup as error:
            raise backup_file.BrokenBackup(str(error)) from error


@contextmanager
def _draft_of(file: Path) -> Iterator[Path]:
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        yield draft
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def _name(draft: Path, file: Path) -> None:
    # A link, unlike a renaming, replaces nothing that somebody put there meanwhile.
    os.link(draft, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
