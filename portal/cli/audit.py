"""How does an operator prove that the audit log is as it was written? `portal audit verify` and its like."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal import clock
from portal.cli.installation import Installation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.core.audit_anchors import Anchor
    from portal.services.audit_reports import Report

BROKEN, WAITING, RESTARTED = 3, 4, 5


_HEADS = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def audit() -> None:
    """Prove that nobody edited, removed, reordered or cut off what the audit log says."""


@audit.command()
@click.argument("app_id", metavar="[APPID]", required=False)
@click.option(
    "--head",
    "heads",
    type=_HEADS,
    help="A file with what `portal audit head --json` printed earlier, or a worker's log.",
)
@click.pass_obj
def verify(installation: Installation, app_id: str | None, heads: Path | None) -> None:
    """Walk through the chain of one app, or through all of them, and say which entries are not as written.

    Entries are sealed a few seconds after they were written. Whoever can write to the database can still put
    an old copy of it there; only a head that is kept outside shows that the newest entries are gone.

    \b
    Examples:
      portal audit verify
      portal audit verify 0123456789abcdef --head heads.json

    Exit codes: 0 all hold, 1 refused, 2 wrong usage, 3 something was tampered with, 4 all hold but for
    entries that wait to be sealed for more than a minute (does a worker run?), 5 all hold since a chain was
    begun anew by `portal audit restart`; what is told of it tells what was before.
    """
    from portal import keys
    from portal.services import audit_checks

    anchors = _anchors(heads, app_id)
    with _one_moment(installation) as session:
        chains = [_known(session, app_id)] if app_id else audit_checks.ids(session, anchors)
        key = keys.require(installation.settings.home).audit
        reports = [audit_checks.check(session, key, each, clock.now(), anchors) for each in chains]
    for report in reports:
        for line in _lines(report):
            click.echo(line)
    if any(report.faults for report in reports):
        raise SystemExit(BROKEN)
    if any(report.unsealed for report in reports):
        raise SystemExit(WAITING)
    if any(report.restarts or report.before for report in reports):
        raise SystemExit(RESTARTED)


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list, for `verify --head`.")
@click.pass_obj
def head(installation: Installation, as_json: bool) -> None:
    """Print where each chain ends. Keep it where nobody who can write to the database can write.

    \b
    Examples:
      portal audit head --json > heads-$(date +%F).json

    Exit codes: 0 done, 1 refused, 3 the row of a chain cannot be read; the others are printed.
    """
    from portal.services import audit_chains, audit_heads

    with _one_moment(installation) as session:
        chains, unread = audit_chains.every(session)
    found = [audit_heads.told(chain) for chain in chains]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    for each in () if as_json else found:
        click.echo(f"{each['app']}  {each['sequence']}  {each['hash']}")
    if unread:
        click.echo(f"The rows of these chains cannot be read: {', '.join(unread)}", err=True)
        raise SystemExit(BROKEN)


@audit.command()
@click.argument("app_id", metavar="APPID", required=False)
@click.option("--installation", "is_of_none", is_flag=True, help="The chain of what belongs to no app.")
@click.option("--reason", required=True, help="Why; it is kept in the audit log. No numbers, no codes.")
@click.option(
    "--head",
    "heads",
    type=_HEADS,
    help="A file with what `portal audit head --json` printed earlier, where only that shows the damage.",
)
@click.pass_obj
def restart(
    installation: Installation, app_id: str | None, is_of_none: bool, reason: str, heads: Path | None
) -> None:
    """Begin a broken chain anew, once you know what happened to it.

    Every entry stays. The new chain begins with an entry that says so in the audit log itself: when, why,
    what was found, and where the chain began and ended before. `portal audit verify` names it from then on.

    \b
    Examples:
      portal audit restart 0123456789abcdef --reason "A script edited the table."
      portal audit restart --installation --reason "Restored without the newest entries." --head heads.json

    Exit codes: 0 begun anew, 1 refused, 2 wrong usage.
    """
    from portal import keys
    from portal.models import INSTALLATION
    from portal.services import audit_restarts, support_deeds

    if is_of_none == bool(app_id):
        raise click.UsageError("Name one app, or --installation.")
    why, chain_id = support_deeds.typed(reason), app_id or INSTALLATION
    anchors = _anchors(heads, chain_id)
    with _one_moment(installation) as session:
        _known(session, chain_id)
        key = keys.require(installation.settings.home).audit
        damage = audit_restarts.look(session, key, chain_id, clock.now(), anchors)
    with installation.transaction() as ctx:
        begun = audit_restarts.begin_anew(ctx.in_app(app_id or ""), damage, why)
    click.echo(f"{chain_id}  begun anew by entry {begun.sequence}. Keep its head outside: portal audit head")


def _anchors(heads: Path | None, app_id: str | None) -> "list[Anchor]":
    from portal.core import audit_anchors

    if heads is None:
        return []
    try:
        found = audit_anchors.read(heads.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, audit_anchors.NoAnchor) as error:
        raise click.ClickException(f"{heads} cannot be used: {error}") from error
    if app_id and not any(each.chain == app_id for each in found):
        raise click.ClickException(f"{heads} has no head of {app_id}.")
    return found


def _known(session: "Session", app_id: str) -> str:
    from portal.models import INSTALLATION, App

    if app_id != INSTALLATION and session.get(App, app_id) is None:
        raise click.ClickException(f"There is no app {app_id}.")
    return app_id


@contextmanager
def _one_moment(installation: Installation) -> Iterator["Session"]:
    from sqlalchemy.orm import Session

    from portal.cli import schema
    from portal.services import one_moment

    installation.require_schema()
    options = one_moment.options(is_sqlite=installation.settings.sqlalchemy_url.startswith("sqlite"))
    with schema.connected(installation.settings, options=options) as connection:
        yield Session(connection)


def _lines(report: "Report") -> Iterator[str]:
    state = "TAMPERED WITH" if report.faults else "begun anew" if report.restarts else "ok"
    yield f"{report.chain}  {state}  {report.entries} entries hold"
    for fault in report.faults:
        yield f"  {fault}"
    for begun in report.restarts:
        at = clock.as_datetime(begun.at)
        yield f"  entry {begun.sequence} began the chain anew on {at:%Y-%m-%d %H:%M} UTC: {begun.reason}"
        yield f"    because of what was before it: {begun.found}"
    for fault in report.before:
        yield f"  before the chain was begun anew: {fault}"
    if report.unsealed:
        yield f"  not sealed yet: {report.unsealed}"
