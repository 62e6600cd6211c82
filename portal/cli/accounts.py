"""How does an operator let people in? `portal accounts create`, `password`, `join` and `list`."""

import json
import secrets
import sys

import click

from portal.cli.installation import Installation
from portal.core.roles import Role
from portal.errors import AlreadyExists


@click.group()
def accounts() -> None:
    """Create the accounts that sign in to the portal, and say what each may do where."""


@accounts.command()
@click.argument("email")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
@click.pass_obj
def create(installation: Installation, email: str, password_stdin: bool) -> None:
    """Create an account. Without --password-stdin, a random password is made and shown only now.

    \b
    Examples:
      portal accounts create you@example.com
      portal accounts create you@example.com --password-stdin < password.txt

    Exit codes: 0 created, 1 refused, 2 wrong usage.
    """
    from portal.services import accounts as verbs

    password = _read_password(email) if password_stdin else secrets.token_urlsafe(15)
    hashed = installation.parts.hasher.hash(password)
    try:
        with installation.transaction() as ctx:
            address = verbs.create(ctx, email, hashed).email
    except AlreadyExists as error:
        raise click.ClickException(f"There is an account {email} already.") from error
    click.echo(f"account   {address}")
    if not password_stdin:
        click.echo(f"password  {password}")


@accounts.command()
@click.argument("email")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
@click.pass_obj
def password(installation: Installation, email: str, password_stdin: bool) -> None:
    """Give an account a new password, and sign it out everywhere.

    \b
    Examples:
      portal accounts password you@example.com

    Exit codes: 0 changed, 1 refused, 2 wrong usage.
    """
    from portal.services import accounts as verbs

    fresh = _read_password(email) if password_stdin else secrets.token_urlsafe(15)
    hashed = installation.parts.hasher.hash(fresh)
    with installation.transaction() as ctx:
        address = verbs.set_password(ctx, email, hashed).email
    click.echo(f"account   {address}")
    if not password_stdin:
        click.echo(f"password  {fresh}")


@accounts.command()
@click.argument("email")
@click.argument("app_id", metavar="APPID")
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do."
)
@click.pass_obj
def join(installation: Installation, email: str, app_id: str, role: str) -> None:
    """Make an account a member of an app, or change its role there.

    \b
    Examples:
      portal accounts join bob@example.com 0123456789abcdef --role support

    Exit codes: 0 joined, 1 refused, 2 wrong usage.
    """
    from portal.services import accounts as verbs
    from portal.services import apps

    with installation.transaction() as ctx:
        app = apps.get(ctx.session, app_id)
        verbs.admit(ctx.in_app(app.id), email, Role(role))
        name = app.name
    click.echo(f"{email} is {role} of {name}.")


@accounts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.pass_obj
def list_all(installation: Installation, as_json: bool) -> None:
    """List all accounts: e-mail address, and whether they may sign in.

    Exit codes: 0 done, 1 refused.
    """
    from sqlalchemy import select

    from portal.models import Account

    with installation.transaction() as ctx:
        found = [
            {"email": account.email, "active": account.active}
            for account in ctx.session.scalars(select(Account).order_by(Account.email))
        ]
    if as_json:
        click.echo(json.dumps(found))
        return
    for each in found:
        click.echo(f"{each['email']}{'' if each['active'] else '  (may not sign in)'}")


def _read_password(email: str) -> str:
    from portal.core import password_rules

    password = sys.stdin.readline().rstrip("\r\n")
    fault = password_rules.fault(password, email)
    if fault:
        raise click.ClickException(fault)
    return password
