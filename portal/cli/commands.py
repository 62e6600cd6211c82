"""Which commands are there? The root of `portal`, which loads each one only when it is called."""

import importlib

import click

from portal.cli import refusals

COMMANDS = {
    "serve": "portal.cli.serve",
    "worker": "portal.cli.worker",
    "migrate": "portal.cli.migrate",
    "demo": "portal.cli.demo",
    "apps": "portal.cli.apps",
    "accounts": "portal.cli.accounts",
    "users": "portal.cli.users",
    "erasures": "portal.cli.erasures",
    "keys": "portal.cli.keys",
    "audit": "portal.cli.audit",
    "doctor": "portal.cli.doctor",
    "backup": "portal.cli.backup",
    "restore": "portal.cli.restore",
    "quarantine": "portal.cli.quarantine",
}


class Commands(click.Group):
    """A group whose commands stand in modules of their own; a refusal becomes one line and exit code 1."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order in which an operator meets them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """The command of this name, which is the name of its module too."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[name])
        command: click.Command = getattr(module, name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            line = refusals.line_for(error)
            if line is None:
                raise
            raise click.ClickException(line) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def portal() -> None:
    """Ringback: phone number verification that a team runs itself.

    Settings come from the environment (PORTAL_HOME, PORTAL_DATABASE_URL, PORTAL_PORT, ...).

    \b
    A new installation:
      portal migrate
      portal accounts create you@example.com
      portal serve

    Exit codes: 0 done, 1 refused (a line on standard error says why), 2 wrong usage.
    """
