"""How is Ringback served? `portal serve`: one process that does everything, or several and a worker."""

import socket
import sys
from contextlib import closing

import click

from portal.cli import many_processes, one_process
from portal.cli.installation import Installation
from portal.config import Settings


@click.command()
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Server processes.")
@click.pass_obj
def serve(installation: Installation, workers: int) -> None:
    """Serve the portal and the REST API, and send the messages, until it is stopped.

    One process does everything by default. With --workers N there are N server processes, and one more that
    sends the messages. With PORTAL_WORKER=false nothing is sent here: run `portal worker` too.

    On SIGTERM it says at /readyz that it is leaving, goes on for PORTAL_DRAIN_SECONDS, answers what it has
    begun, and ends within 25 seconds more.

    \b
    Examples:
      portal serve
      PORTAL_HOST=0.0.0.0 PORTAL_PORT=80 portal serve --workers 4

    Exit codes: 0 stopped when told to, 1 refused to start.
    """
    settings = installation.settings
    installation.require_schema()
    installation.require_primary()
    _refuse_taken_port(settings)
    if workers == 1:
        one_process.serve(installation, lambda: _say_where(settings))
    else:
        many_processes.serve(installation, workers, lambda: _say_where(settings))


def _refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host} port {settings.port}"
            raise click.ClickException(
                f"Cannot listen on {where}: {error.strerror}. See PORTAL_HOST and PORTAL_PORT."
            ) from error


def _say_where(settings: Settings) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    click.echo(f"Ringback is at {settings.base_url or f'http://{host}:{settings.port}'} (Ctrl-C stops it)")
    sys.stdout.flush()
