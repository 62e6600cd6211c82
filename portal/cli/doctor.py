"""Is this installation well? `portal doctor` looks at everything that it rests on, and says what to do."""

import json
from collections.abc import Iterator

import click

from portal.cli import findings
from portal.cli.findings import Finding, State
from portal.cli.installation import Installation
from portal.config import WrongSetting


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
@click.pass_obj
def doctor(installation: Installation, as_json: bool) -> None:
    """Look at settings, keys, disk, database, workers, carriers and limits, and say what to mend.

    It changes nothing. A line begins with ok, note (it could be better) or bad (it has to be mended).

    \b
    Examples:
      portal doctor
      portal doctor --json | jq '.findings[] | select(.state == "bad")'

    Exit codes: 0 all right, 1 something has to be mended.
    """
    found = []
    for each in _look(installation):
        found.append(each)
        if not as_json:
            click.echo(each.line)
    mending = sum(each.state is State.BAD for each in found)
    if as_json:
        click.echo(json.dumps({"well": not mending, "findings": [each.fields for each in found]}, indent=2))
    elif mending:
        click.echo(f"{mending} to mend.")
    else:
        click.echo("All is well.")
    if mending:
        raise SystemExit(1)


def _look(installation: Installation) -> Iterator[Finding]:
    try:
        settings = installation.settings
    except WrongSetting as error:
        yield findings.bad("settings", str(error), "")
        return
    yield findings.ok("settings", "They make sense.")
    from portal.cli import database_checks, machine_checks

    yield from machine_checks.look(settings)
    yield from database_checks.look(settings)
