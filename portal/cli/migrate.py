"""How does the database get its tables? `portal migrate`."""

import click

from portal.cli import schema
from portal.cli.installation import Installation


@click.command()
@click.pass_obj
def migrate(installation: Installation) -> None:
    """Create the tables, or bring them up to date. Running it again changes nothing.

    \b
    Examples:
      portal migrate
      PORTAL_DATABASE_URL=postgresql://ringback@db/ringback portal migrate

    Exit codes: 0 the schema is the newest, 1 refused (a newer Ringback made it, or no database).
    """
    before, after = schema.upgrade(installation.settings)
    if before == after:
        click.echo(f"The database is up to date ({after}).")
    else:
        click.echo(f"Migrated the database from {before or 'nothing'} to {after}.")
