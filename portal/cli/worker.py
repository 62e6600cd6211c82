"""How does a worker run alone? `portal worker`, beside server processes or on another machine."""

import signal
import sys
import threading

import click

from portal.cli.installation import Installation


@click.command()
@click.option("--until-stdin-ends", is_flag=True, hidden=True, help="Stop when whoever started this is gone.")
@click.pass_obj
def worker(installation: Installation, until_stdin_ends: bool) -> None:
    """Send the messages in the outbox and run the periodic jobs, until it is stopped.

    Any number of workers may run on one database. On SIGTERM or Ctrl-C a worker takes no new message,
    finishes those it is sending, and ends.

    \b
    Examples:
      PORTAL_WORKER=false portal serve &
      portal worker

    Exit codes: 0 stopped when told to, 1 refused to start.
    """
    installation.require_schema()
    installation.require_primary()
    running = installation.make_worker()
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told_to_stop.set())
    if until_stdin_ends:
        threading.Thread(target=_watch_stdin, args=(told_to_stop,), daemon=True).start()
    watchman = installation.app.extensions["watchman"]
    for each in (running, watchman):
        each.start()
    if not until_stdin_ends:
        click.echo("The worker is running. Ctrl-C stops it.")
    told_to_stop.wait()
    for each in (running, watchman):
        each.stop()


def _watch_stdin(told_to_stop: threading.Event) -> None:
    # The other end is held by the server that started this worker, and closes however that one ends.
    sys.stdin.read()
    told_to_stop.set()
