"""How does an operator change the server's keys? `portal keys rotate`, `reseal`, `retire` and `list`."""

from types import ModuleType
from typing import TYPE_CHECKING

import click

from portal import keys as server_keys
from portal.cli import key_words
from portal.cli.installation import Installation

if TYPE_CHECKING:
    from portal.services.context import Context

_SEALING, _HASHING = "sealing", "hashing"
_KIND = click.Choice([_SEALING, _HASHING])


@click.group()
def keys() -> None:
    """Rotate the keys that secrets are sealed with, or numbers hashed. Keys themselves are never printed."""


@keys.command()
@click.argument("kind", type=_KIND)
@click.option("--no-reseal", is_flag=True, help="Only add the sealing key; `reseal` does the rest later.")
@click.pass_obj
def rotate(installation: Installation, kind: str, no_reseal: bool) -> None:
    """Add a new key to keys.json beside the old one.

    With a sealing key, what carriers and authenticator apps are opened with is sealed anew. With a hashing
    key, the limits of a number go on under both keys, and nothing begins to count anew.

    Servers and workers that run on this machine find the new key by themselves. With more machines, add a
    sealing key with --no-reseal, copy keys.json to each of them, and then run `portal keys reseal sealing`.
    After adding a hashing key copy it too; until then a machine goes on with the old one.

    \b
    Examples:
      portal keys rotate sealing
      portal keys rotate sealing --no-reseal
      portal keys rotate hashing

    Exit codes: 0 rotated, 1 refused, 2 wrong usage.
    """
    installation.require_schema()
    version = server_keys.add_key(installation.settings.home, kind)
    with installation.transaction() as ctx:
        _rules(kind).note_added(ctx, version)
    click.echo(f"{kind} key {version} was added to {server_keys.FILE}. Back that file up.")
    if kind == _SEALING and not no_reseal:
        _reseal(installation)


@keys.command()
@click.argument("kind", type=click.Choice([_SEALING]))
@click.pass_obj
def reseal(installation: Installation, kind: str) -> None:  # noqa: ARG001 - there is only one kind
    """Seal what carriers and authenticator apps are opened with by the newest key. It may run again.

    \b
    Examples:
      portal keys reseal sealing

    Exit codes: 0 done, 1 refused, 2 wrong usage.
    """
    _reseal(installation)


@keys.command()
@click.argument("kind", type=_KIND)
@click.pass_obj
def retire(installation: Installation, kind: str) -> None:
    """Remove old keys that nothing needs any more from keys.json, for good.

    A key that something still needs stays, and the command says what that is: run it again later. Answers
    kept for repeated calls need their sealing key for a day. An old hashing key is needed for a day by the
    limits of numbers, and for 35 days by numbers that were erased, which may still stand in a backup.
    Carriers and authenticator apps need an old sealing key until `portal keys reseal sealing`.

    What a removed key opened in a backup opens only with a copy of keys.json from before. With more machines,
    retire only after each of them got the newer key, and copy keys.json to them again afterwards.

    \b
    Examples:
      portal keys retire sealing
      portal keys retire hashing

    Exit codes: 0 done, also where nothing could go, 1 refused, 2 wrong usage.
    """
    with installation.transaction() as ctx:
        versions, needs = _versions(ctx, kind), _rules(kind).needs(ctx)
        old = versions - {max(versions)} - set(needs)
        _rules(kind).note_removed(ctx, old)
        server_keys.remove_keys(installation.settings.home, kind, old)
    left = versions - old
    click.echo(key_words.removed(kind, old, left))
    _say(kind, left, needs, key_words.after_removal() if old else "")


@keys.command("list")
@click.argument("kind", type=_KIND, required=False)
@click.pass_obj
def list_all(installation: Installation, kind: str | None) -> None:
    """List the keys of a kind, or of both, by number; say what still needs an old one, and what to do next.

    The keys themselves are never printed. The newest one is used for whatever is new; an old one stays only
    for what was made with it.

    \b
    Examples:
      portal keys list
      portal keys list hashing

    Exit codes: 0 done, 1 refused, 2 wrong usage.
    """
    for each in [kind] if kind else _KIND.choices:
        with installation.transaction() as ctx:
            versions, needs = _versions(ctx, each), _rules(each).needs(ctx)
        _say(each, versions, needs)


def _say(kind: str, versions: set[int], needs: key_words.Needs, next_step: str = "") -> None:
    for line in key_words.standing(kind, versions, needs):
        click.echo(line)
    click.echo(next_step or key_words.next_step(kind, versions, needs, _rules(kind).RESEALED))


def _reseal(installation: Installation) -> None:
    from portal.core.sealing import BrokenSeal
    from portal.services import reseals

    try:
        with installation.transaction() as ctx:
            count = reseals.reseal(ctx)
            newest = max(ctx.keys.sealing)
    except BrokenSeal as error:
        said = "A stored secret does not open with the keys of this server; nothing was sealed anew."
        raise click.ClickException(f"{said} Is keys.json the one of this database?") from error
    click.echo(f"Secrets sealed anew with {_SEALING} key {newest}: {count}.")


def _rules(kind: str) -> ModuleType:
    """What knows of a kind of key which versions something needs, and puts changes on record."""
    from portal.services import hashing_keys, reseals

    return reseals if kind == _SEALING else hashing_keys


def _versions(ctx: "Context", kind: str) -> set[int]:
    return set(ctx.keys.sealing) if kind == _SEALING else {version for version, _ in ctx.keys.hashing.all()}
