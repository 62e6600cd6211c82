"""How does an operator change the server's keys? `portal keys rotate`, `reseal`, `retire` and `list`."""

import click

from portal import keys as server_keys
from portal.cli.installation import Installation

_KIND = click.Choice(["sealing"])


@click.group()
def keys() -> None:
    """Rotate the key that secrets in the database are sealed with. Keys themselves are never printed."""


@keys.command()
@click.argument("kind", type=_KIND)
@click.option("--no-reseal", is_flag=True, help="Only add the key; `reseal` does the rest later.")
@click.pass_obj
def rotate(installation: Installation, kind: str, no_reseal: bool) -> None:
    """Add a new key to keys.json, and seal with it what carriers and authenticator apps are opened with.

    Servers and workers that run on this machine find the new key by themselves. With more machines, add the
    key with --no-reseal, copy keys.json to each of them, and then run `portal keys reseal sealing`.

    \b
    Examples:
      portal keys rotate sealing
      portal keys rotate sealing --no-reseal

    Exit codes: 0 rotated, 1 refused, 2 wrong usage.
    """
    from portal.services import reseals

    installation.require_schema()
    version = server_keys.add_sealing_key(installation.settings.home)
    with installation.transaction() as ctx:
        reseals.note_added(ctx, version)
    click.echo(f"{kind} key {version} was added to {server_keys.FILE}. Back that file up.")
    if not no_reseal:
        _reseal(installation, kind)


@keys.command()
@click.argument("kind", type=_KIND)
@click.pass_obj
def reseal(installation: Installation, kind: str) -> None:
    """Seal what carriers and authenticator apps are opened with by the newest key. It may run again.

    \b
    Examples:
      portal keys reseal sealing

    Exit codes: 0 done, 1 refused, 2 wrong usage.
    """
    _reseal(installation, kind)


@keys.command()
@click.argument("kind", type=_KIND)
@click.pass_obj
def retire(installation: Installation, kind: str) -> None:
    """Remove old keys that nothing is sealed with any more; what an old backup holds never opens again.

    Answers kept for repeated calls hold their key for a day.

    \b
    Examples:
      portal keys retire sealing

    Exit codes: 0 done, 1 refused, 2 wrong usage.
    """
    from portal.services import reseals

    with installation.transaction() as ctx:
        newest = max(ctx.keys.sealing)
        old = {version for version in ctx.keys.sealing if version < newest}
        in_use = old & reseals.versions_in_use(ctx)
        reseals.note_removed(ctx, old - in_use)
        server_keys.remove_sealing_keys(installation.settings.home, old - in_use)
    click.echo(f"Removed {kind} keys: {_listed(old - in_use)}. Still in use: {_listed(in_use | {newest})}.")


@keys.command("list")
@click.argument("kind", type=_KIND)
@click.pass_obj
def list_all(installation: Installation, kind: str) -> None:
    """List the versions of a kind of key, and which of them something is sealed with.

    Exit codes: 0 done, 1 refused.
    """
    from portal.services import reseals

    with installation.transaction() as ctx:
        in_use = reseals.versions_in_use(ctx)
        for version in sorted(ctx.keys.sealing):
            click.echo(f"{kind}  {version}  {'in use' if version in in_use else 'not in use'}")


def _reseal(installation: Installation, kind: str) -> None:
    from portal.core.sealing import BrokenSeal
    from portal.services import reseals

    try:
        with installation.transaction() as ctx:
            count = reseals.reseal(ctx)
            newest = max(ctx.keys.sealing)
    except BrokenSeal as error:
        said = "A provider's credentials do not open with the keys of this server; nothing was resealed."
        raise click.ClickException(f"{said} Is keys.json the one of this database?") from error
    click.echo(f"Providers sealed anew with {kind} key {newest}: {count}.")


def _listed(versions: set[int]) -> str:
    return ", ".join(map(str, sorted(versions))) or "none"
