"""May a restored copy send again? `portal quarantine` says what was kept back, and opens it."""

import click

from portal.cli.installation import Installation

_OPEN_BY_HAND = """\
Before you open it, look at what changed after that and is not in the backup:
  - ClientSecrets that were made anew are the old ones again: make them anew in each app's access keys;
    none is taken before you open
  - accounts and members that were removed since are back, passwords and second factors are the old ones
  - users that were disabled since are enabled; those that were erased since are not back
  - numbers that were verified since are not, and their users get new codes when they ask
Then run: portal quarantine --open"""


@click.command()
@click.option("--open", "opens", is_flag=True, help="Let messages leave again.")
@click.pass_obj
def quarantine(installation: Installation, opens: bool) -> None:
    """Say whether this database is a restored copy that sends nothing yet, and open it with --open.

    \b
    Examples:
      portal quarantine
      portal quarantine --open

    Exit codes: 0 no quarantine, or opened now; 1 it is in quarantine (without --open).
    """
    from portal import clock
    from portal.services import quarantine as quarantines

    with installation.transaction() as ctx:
        found = quarantines.find(ctx.session)
        if found is not None and opens:
            quarantines.open_up(ctx.session)
    if found is None:
        click.echo("There is no quarantine: messages leave.")
        return
    if opens:
        click.echo("The quarantine is over: messages leave again.")
        return
    click.echo(f"In quarantine since {clock.as_datetime(found.since):%Y-%m-%d %H:%M} UTC: nothing is sent.")
    click.echo(f"The backup is of {clock.as_datetime(found.backup_at):%Y-%m-%d %H:%M:%S} UTC.")
    click.echo(_OPEN_BY_HAND)
    raise SystemExit(1)
