"""Whom must a restored copy not bring back? Everything that is still known of erasures, from all places."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal.cli import schema
from portal.config import Settings

if TYPE_CHECKING:
    from portal.core.erasures import Erased


def gathered(settings: Settings, journals: Iterable[Path] = (), old: str | None = None) -> "list[Erased]":
    """Each erasure once: of this machine's journal, of other machines', and of the database that is replaced.

    Raises BrokenJournal, OSError, and ClickException where the old database cannot be read.
    """
    from portal.services import erasure_journal

    places = [settings.home / erasure_journal.FILE, *journals]
    told = [each for place in places for each in erasure_journal.read(place)]
    if old is not None:
        told += _in_database(settings, old)
    return list({each.id: each for each in told}.values())


def _in_database(settings: Settings, address: str) -> "list[Erased]":
    from sqlalchemy.exc import SQLAlchemyError

    from portal.services import erasures

    # A file is named as a file; asking for one that is not there must not make it.
    if "://" not in address:
        if not Path(address).exists():
            raise click.ClickException(f"There is no old database at {address}. Nothing was restored.")
        address = f"sqlite:///{Path(address).absolute()}"
    try:
        with schema.connected(replace(settings, database_url=address)) as connection:
            return erasures.found(connection)
    except SQLAlchemyError as error:
        raise click.ClickException(
            "The old database cannot be read; leave --old-database out if it is lost. Nothing was restored."
        ) from error
