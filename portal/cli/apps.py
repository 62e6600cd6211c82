"""How does an operator handle apps? `portal apps create`, `list`, `set` and `keys`."""

import json

import click

from portal.cli.app_keys import keys
from portal.cli.installation import Installation


@click.group()
def apps() -> None:
    """Create apps, list them, change their parameters and their keys."""


apps.add_command(keys)


@apps.command()
@click.argument("name")
@click.option("--country", required=True, help="Home country, two letters. Only it is open for SMS at first.")
@click.option("--owner", metavar="EMAIL", help="The account that owns the app in the portal.")
@click.option("--locale", default="en", show_default=True, help="Locale of the SMS when none fits a user.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def create(
    installation: Installation, name: str, country: str, owner: str | None, locale: str, as_json: bool
) -> None:
    """Create a sandbox app and print its keys. The clientSecret is shown only now.

    \b
    Examples:
      portal apps create "Coffee Club" --country JP --owner you@example.com
      portal apps create Test --country JP --json | jq -r .appID

    Exit codes: 0 created, 1 refused, 2 wrong usage.
    """
    from portal.services import apps as verbs

    new = verbs.NewApp(name=name, home_country=country.upper(), default_locale=locale)
    with installation.transaction() as ctx:
        created = verbs.create(ctx, new, _owner_id(ctx.session, owner))
        keys = {
            "appID": created.app.id,
            "appKey": created.app_key,
            "clientID": created.app.client_id,
            "clientSecret": created.client_secret,
        }
    click.echo(json.dumps(keys) if as_json else _in_columns(keys))


@apps.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.pass_obj
def list_all(installation: Installation, as_json: bool) -> None:
    """List all apps: appID, home country, mode, verification on or off, name.

    Exit codes: 0 done, 1 refused.
    """
    from sqlalchemy import select

    from portal.models import App

    with installation.transaction() as ctx:
        found = [
            {
                "appID": app.id,
                "homeCountry": app.home_country,
                "mode": app.mode,
                "phoneNumberVerificationRequired": app.phone_number_verification_required,
                "name": app.name,
            }
            for app in ctx.session.scalars(select(App).order_by(App.created_at, App.id))
        ]
    if as_json:
        click.echo(json.dumps(found))
        return
    for each in found:
        switch = "on" if each["phoneNumberVerificationRequired"] else "off"
        click.echo(f"{each['appID']}  {each['homeCountry']}  {each['mode']:<7}  {switch:<3}  {each['name']}")


@apps.command("set")
@click.argument("app_id", metavar="APPID")
@click.argument("name")
@click.argument("value")
@click.pass_obj
def set_parameter(installation: Installation, app_id: str, name: str, value: str) -> None:
    """Set a configuration parameter of an app, by the name that Kii clients know.

    \b
    Examples:
      portal apps set 0123456789abcdef phoneNumberVerificationRequired true
      portal apps set 0123456789abcdef defaultTokenExpirationSeconds 3600

    Exit codes: 0 set, 1 refused, 2 wrong usage.
    """
    from portal.services import apps as verbs
    from portal.services import parameters

    with installation.transaction() as ctx:
        app = verbs.get(ctx.session, app_id)
        parameters.write(ctx.in_app(app.id), {name: value})
    click.echo(f"{name} is {value}.")


def _owner_id(session: object, email: str | None) -> str | None:
    from sqlalchemy.orm import Session

    from portal.services import accounts

    assert isinstance(session, Session)
    if email is None:
        return None
    account = accounts.find(session, email)
    if account is None:
        raise click.ClickException(f"There is no account {email}. Run: portal accounts create {email}")
    return account.id


def _in_columns(keys: dict[str, str]) -> str:
    return "\n".join(f"{name:<14}{value}" for name, value in keys.items())
