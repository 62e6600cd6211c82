"""Which erasures are on record? `portal erasures list`, whose lines a restore on another machine takes."""

import click

from portal import clock
from portal.cli.installation import Installation


@click.group()
def erasures() -> None:
    """See who was erased, by IDs and hashes alone, and take it along to another machine."""


@erasures.command("list")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON lines, as `portal restore --erasures` reads."
)
@click.pass_obj
def list_all(installation: Installation, as_json: bool) -> None:
    """List the erasures of this database and of this machine's journal, the oldest first.

    \b
    Examples:
      portal erasures list
      portal erasures list --json > erasures.jsonl

    Exit codes: 0 done, 1 refused.
    """
    from portal.cli import past_erasures
    from portal.core import erasures as lines
    from portal.services import erasures as verbs

    told = {each.id: each for each in past_erasures.gathered(installation.settings)}
    with installation.transaction() as ctx:
        told |= {each.id: each for each in verbs.found(ctx.session.connection())}
    for each in sorted(told.values(), key=lambda each: (each.erased_at, each.id)):
        at = clock.as_datetime(each.erased_at)
        click.echo(
            lines.write(each)
            if as_json
            else f"{at:%Y-%m-%d %H:%M}  {each.app_id}  {each.kind:<6}  {each.user_id or ''}"
        )
