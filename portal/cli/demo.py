"""How does a newcomer see Ringback at work? `portal demo`: apps, people and a fortnight of their messages."""

import random
import secrets
from dataclasses import replace

import click

from portal import clock, logs
from portal.cli.demo_apps import APPS, create
from portal.cli.demo_people import Numbers
from portal.cli.demo_story import Story
from portal.cli.demo_town import Town
from portal.cli.installation import Installation
from portal.delivery import claims
from portal.services import access_keys, accounts, key_checks, retention
from portal.services.context import Context

OWNER, SUPPORT = "owner@ringback.example", "support@ringback.example"
# The same people live the same lives in every demo; only ids, keys and codes differ.
SEED = 20_260_217
FOUNDED_BEFORE = 121 * clock.DAY


@click.command()
@click.pass_obj
def demo(installation: Installation) -> None:
    """Add demo data: 3 apps, 500 users in 20 countries, two weeks of messages, and two accounts.

    Its past is made up: it tells of four months, as if Ringback had run here all the while. The accounts'
    passwords are random, made and shown only now. Running it again changes nothing.

    \b
    Example:
      portal migrate && portal demo && portal serve

    Exit codes: 0 the demo is there, 1 refused (in production, or while messages wait to be sent).
    """
    if installation.settings.production:
        raise click.ClickException(
            "Demo data is not for production: unset PORTAL_PRODUCTION to try Ringback out."
        )
    passwords = {email: secrets.token_urlsafe(12) for email in (OWNER, SUPPORT)}
    hasher = installation.parts.hasher
    hashes = {email: hasher.hash(password) for email, password in passwords.items()}
    # Nobody can sign in as an end user of the demo: this password is forgotten at once.
    users_hash = hasher.hash(secrets.token_urlsafe())
    # The failures of the story are no news for the log.
    logs.configure("error")
    with installation.transaction() as ctx:
        if accounts.find(ctx.session, OWNER) is not None:
            click.echo("The demo data is there already; nothing was changed.")
            return
        made = _tell(ctx, hashes, users_hash)
    since = f"{clock.as_datetime(ctx.now - FOUNDED_BEFORE):%-d %B %Y}"
    click.echo(f"Added the demo data: 3 apps and 500 users, whose past since {since} is made up.")
    click.echo("Sign in to the portal as one of:")
    for email in made:
        click.echo(f"  {email:<26}  password {passwords[email]}")


def _tell(ctx: Context, hashes: dict[str, str], users_hash: str) -> list[str]:
    if claims.is_due(ctx.session, ctx.now):
        raise click.ClickException("Messages wait to be sent. Let a worker send them first.")
    long_ago = replace(ctx, now=ctx.now - FOUNDED_BEFORE)
    made = [email for email in hashes if accounts.find(ctx.session, email) is None]
    for email in made:
        accounts.create(long_ago, email, hashes[email])
    owner, support = (accounts.find(ctx.session, email) for email in (OWNER, SUPPORT))
    assert owner is not None
    assert support is not None
    # Chance that anybody can repeat is what a demo wants.
    chance = random.Random(SEED)  # noqa: S311
    story, numbers = Story(ctx, chance), Numbers(chance)
    for plan in APPS:
        app = create(long_ago, plan, owner.id, support.id)
        Town(story, plan, app.id, numbers, chance, users_hash).settle(ctx.session, owner.id, support.id)
        # Whoever signed up today did so by these keys.
        for key in access_keys.live(ctx.session, app.id):
            key_checks.note_use(ctx.session, key.id, ctx.now)
    story.tell()
    # What is printed was not the password four months ago.
    for email in made:
        accounts.set_password(ctx, email, hashes[email])
    while retention.end_expired_verifications(ctx):
        pass
    return made
