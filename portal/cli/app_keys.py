"""How does an operator replace an app's keys? `portal apps keys list`, `add` and `end` (TEN-07)."""

import json
from typing import TYPE_CHECKING

import click

from portal import clock
from portal.cli.installation import Installation

if TYPE_CHECKING:
    from portal.services.access_keys import Key

# What an operator types, and what the service calls it.
_KINDS = {"client-secret": "client_secret", "app-key": "app_key"}


@click.group()
def keys() -> None:
    """Replace an app's ClientSecret or AppKey without an outage: add one, move over, end the old one."""


@keys.command("list")
@click.argument("app_id", metavar="APPID")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.pass_obj
def list_all(installation: Installation, app_id: str, as_json: bool) -> None:
    """List an app's live keys: ID, kind, last four characters, made when and by whom, day of the last use.

    \b
    Examples:
      portal apps keys list 0123456789abcdef

    Exit codes: 0 done, 1 refused, 2 wrong usage.
    """
    from portal.services import access_keys
    from portal.services import apps as verbs

    with installation.transaction() as ctx:
        app = verbs.get(ctx.session, app_id)
        found = [_told(key) for key in access_keys.live(ctx.session, app.id)]
    if as_json:
        click.echo(json.dumps(found))
        return
    for each in found:
        used = f"last used {each['lastUsedOn']}" if each["lastUsedOn"] else "no use noted"
        made = f"made {each['createdOn']} by {each['createdBy'] or 'the operator'}"
        click.echo(f"{each['id']}  {each['kind']:<13}  …{each['last4']}  {made}, {used}")


@keys.command()
@click.argument("app_id", metavar="APPID")
@click.argument("kind", type=click.Choice(list(_KINDS)))
@click.pass_obj
def add(installation: Installation, app_id: str, kind: str) -> None:
    """Add a second key and print it; the first goes on working. A client-secret is shown only now.

    \b
    Examples:
      portal apps keys add 0123456789abcdef client-secret
      portal apps keys add 0123456789abcdef app-key

    Exit codes: 0 added, 1 refused, 2 wrong usage.
    """
    from portal.models import KeyKind
    from portal.services import access_keys
    from portal.services import apps as verbs

    with installation.transaction() as ctx:
        app = verbs.get(ctx.session, app_id)
        value = access_keys.add(ctx.in_app(app.id), KeyKind(_KINDS[kind]))
    click.echo(value)


@keys.command()
@click.argument("app_id", metavar="APPID")
@click.argument("key_id", metavar="KEYID")
@click.pass_obj
def end(installation: Installation, app_id: str, key_id: str) -> None:
    """End a key, and every token that was got with it, from the next request on. `list` tells its ID.

    \b
    Examples:
      portal apps keys end 0123456789abcdef 00112233445566778899aabbccddeeff

    Exit codes: 0 ended, 1 refused, 2 wrong usage.
    """
    from portal.services import access_keys
    from portal.services import apps as verbs

    with installation.transaction() as ctx:
        app = verbs.get(ctx.session, app_id)
        key = access_keys.end(ctx.in_app(app.id), key_id)
    click.echo(f"Ended the {access_keys.NAMES[key.kind]} that ends in {key.last4}.")


def _told(key: "Key") -> dict[str, str | None]:
    return {
        "id": key.id,
        "kind": next(typed for typed, kind in _KINDS.items() if kind == key.kind),
        "last4": key.last4,
        "createdOn": _day(key.created_at),
        "createdBy": key.created_by,
        "lastUsedOn": None if key.last_used_on is None else _day(key.last_used_on),
    }


def _day(at: int) -> str:
    return clock.as_datetime(at).date().isoformat()
