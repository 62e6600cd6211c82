"""Is the machine as Ringback needs it? Settings, files, disk and the store of limits, without a database."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from portal import keys
from portal.cli.findings import Finding, bad, note, ok
from portal.config import FILE, Settings

_MIB = 1024 * 1024
_LEAST_SPACE, _GOOD_SPACE = 200 * _MIB, 1024 * _MIB


def look(settings: Settings) -> Iterator[Finding]:
    """What is found, one thing after another."""
    yield _keys(settings.home)
    yield from _rights(settings.home)
    yield _disk(settings.home)
    yield from _production(settings)
    yield _limits(settings)
    yield _watching(settings)


def _keys(home: Path) -> Finding:
    try:
        found = keys.require(home)
    except keys.WrongKeys as error:
        return bad("keys", str(error), "")
    counts = (len(found.codes), len(found.sealing), len(found.hashing.all()))
    return ok("keys", "{} for codes, {} for credentials, {} for hashes.".format(*counts))


def _rights(home: Path) -> Iterator[Finding]:
    for path in (home, home / keys.FILE, home / FILE):
        if not path.exists():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            closed = "700" if path.is_dir() else "600"
            says = f"{path.name} may be opened by others on this machine (mode {mode:o})."
            yield bad("rights", says, f"Run: chmod {closed} {path}")
        else:
            yield ok("rights", f"{path.name} is its owner's alone.")


def _disk(home: Path) -> Finding:
    # Before the first start there is no home yet, but a disk that it will be on.
    there = next(each for each in (home.absolute(), *home.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    says = f"{free // _MIB:,} MiB free."
    if free < _LEAST_SPACE:
        return bad("disk", says, "Make room: without it nothing can be written, and calls get 503.")
    return ok("disk", says) if free >= _GOOD_SPACE else note("disk", says, "Make room soon.")


def _production(settings: Settings) -> Iterator[Finding]:
    if not settings.production:
        yield note("production", "This is an installation for trying out.", "Set PORTAL_PRODUCTION=true.")
        return
    # Reading the settings has refused a base URL without HTTPS, cookies that are not secure, and no proxy.
    yield ok("production", f"People use {settings.base_url}, and cookies are sent over HTTPS only.")
    yield ok("proxies", f"{settings.proxies} of yours are believed, counted from the right.")


def _limits(settings: Settings) -> Finding:
    if not settings.redis_url:
        says = "Each process counts by itself."
        return note("limits", says, "For several processes, set PORTAL_REDIS_URL.")
    from portal.services.source_limits import SourceLimits

    if SourceLimits(settings).answers():
        return ok("limits", "Redis answers.")
    return bad("limits", "Redis does not answer.", "Start it: codes and sign-ins get 503 meanwhile.")


def _watching(settings: Settings) -> Finding:
    unset = [
        name
        for name, value in (("METRICS_TOKEN", settings.metrics_token), ("ALARM_URL", settings.alarm_url))
        if not value
    ]
    if not unset:
        return ok("watching", "Metrics have a credential, and alarms an address.")
    named = " and ".join(f"PORTAL_{name}" for name in unset)
    return note("watching", "Nobody is called when nothing is sent any more.", f"Set {named}.")
