"""How does the database get its tables? `portal migrate`."""

import click

from portal.cli import schema
from portal.cli.installation import Installation
from portal.config import Settings


@click.command()
@click.option("--fence", is_flag=True, help="Fence apps off on PostgreSQL, once no older process runs.")
@click.pass_obj
def migrate(installation: Installation, fence: bool) -> None:
    """Create the tables, or bring them up to date. Running it again changes nothing.

    With PORTAL_OWNER_DATABASE_URL the tables belong to that role, and the role of PORTAL_DATABASE_URL may
    read and write their rows and nothing else. On PostgreSQL a new database has its apps fenced off from each
    other from the start. In one that has apps already, processes of an older Ringback, which know of no
    fence, would find nothing behind it; there `--fence` puts the fences up, once the last of them has ended.

    \b
    Examples:
      portal migrate
      PORTAL_DATABASE_URL=postgresql://ringback@db/ringback portal migrate
      portal migrate --fence

    Exit codes: 0 the schema is the newest, 1 refused (a newer Ringback made it, no
    database, or a role that may not change the tables).
    """
    from portal.cli import database_roles

    with database_roles.naming_the_owner():
        _migrate(installation.settings, fence)


def _migrate(settings: Settings, fence: bool) -> None:
    from portal.cli import database_roles

    database_roles.require_tables(settings)
    before, after = schema.upgrade(settings)
    database_roles.admit_to(settings)
    if before == after:
        click.echo(f"The database is up to date ({after}).")
    else:
        click.echo(f"Migrated the database from {before or 'nothing'} to {after}.")
    if fence:
        database_roles.fence(settings)
        click.echo("Apps are fenced off from each other.")
    elif not database_roles.all_fenced(settings):
        click.echo(f"Apps are not fenced off yet. {database_roles.PUT_UP}")
