"""How does an operator erase somebody from an app? `portal users erase`."""

import json
from typing import TYPE_CHECKING

import click

from portal.cli.installation import Installation

if TYPE_CHECKING:
    from portal.services.erasures import Receipt


@click.group()
def users() -> None:
    """Erase end users of an app."""


@users.command()
@click.argument("app_id", metavar="APPID")
@click.option("--user", "user_id", metavar="ID", help="The user, by its ID.")
@click.option("--phone-number", "number", metavar="+...", help="A phone number, in international form.")
@click.option("--reason", help="Why; it is kept in the audit log. No numbers, no codes.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as one JSON object.")
@click.pass_obj
def erase(
    installation: Installation,
    app_id: str,
    user_id: str | None,
    number: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Erase a user, or a phone number, from an app for good, and print a receipt that names neither.

    With a number, the users who proved it go, and those who have no name and no e-mail address beside it;
    others who only claim it lose it. Where nothing is found it counts too: no restored backup brings it back.

    \b
    Examples:
      portal users erase 0123456789abcdef --user abcdefabcdef-4abc-8abc-abcd-abcdefab --json
      portal users erase 0123456789abcdef --phone-number +819012345678 --reason "They asked for it."

    Exit codes: 0 erased, 1 refused (no such app or user, no such number), 2 wrong usage.
    """
    from portal.services.erasure_journal import Journal

    if (user_id is None) == (number is None):
        raise click.UsageError("Give either --user or --phone-number.")
    receipt = _erase(installation, app_id, user_id, number or "", reason)
    with installation.transaction() as ctx:
        Journal(installation.settings.home).catch_up(ctx.session.connection())
    told = {
        "erasureID": receipt.id,
        "appID": receipt.app_id,
        "erasedAt": receipt.erased_at,
        "removed": receipt.removed,
    }
    click.echo(json.dumps(told) if as_json else _in_words(told))


def _erase(
    installation: Installation, app_id: str, user_id: str | None, number: str, reason: str | None
) -> "Receipt":
    from portal.services import apps, erasures, support_deeds

    with installation.transaction() as ctx:
        here = ctx.in_app(apps.get(ctx.session, app_id).id)
        why = None if reason is None else support_deeds.typed(reason)
        if user_id is not None:
            return erasures.erase_user(here, user_id, why)
        return erasures.erase_number(here, _e164(number), why)


def _e164(number: str) -> str:
    from portal.core import phone_number

    found = phone_number.e164_of(number)
    if found is None:
        # What was typed is a number of somebody's, so the refusal does not repeat it (PII-02).
        raise click.ClickException("Write the number in international form, such as +819012345678.")
    return found


def _in_words(told: dict[str, object]) -> str:
    removed = told.pop("removed")
    assert isinstance(removed, dict)
    counts = "\n".join(f"  {name:<14}{count}" for name, count in removed.items()) or "  nothing was there"
    return "\n".join([*(f"{name:<16}{value}" for name, value in told.items()), "removed", counts])
