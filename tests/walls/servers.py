"""How is the real server started and ended? `portal serve` with two processes, as an operator starts it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from portal.config import Settings
from tests.bench.servers import free_port
from tests.walls.knocks import Door

ROOT = Path(__file__).parents[2]
# A carrier's address on this machine where nobody listens, so that nothing leaves it.
CARRIER = "127.0.0.1:9"


@dataclass(frozen=True)
class Site:
    """A running server: where it is, whom it answers for, and what it wrote."""

    port: int
    host: str
    log: Path
    doors: list[Door] = field(default_factory=list, repr=False)

    def door(self) -> Door:
        """A connection of its own, which one of the server's processes holds."""
        self.doors.append(Door(self.port, self.host))
        return self.doors[-1]

    def close(self) -> None:
        """Lets all connections go."""
        while self.doors:
            self.doors.pop().close()

    @property
    def cookie_name(self) -> str:
        """What its cookie is called: over HTTPS it is bound to its host."""
        return "session" if self.host.startswith("127.") else "__Host-session"

    @property
    def troubles(self) -> list[str]:
        """The log lines of errors that nobody foresaw."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if '"level": "error"' in line or "Traceback" in line]


@contextlib.contextmanager
def serving(settings: Settings, log: Path, **changes: str) -> Iterator[Site]:
    """The server over this database; `changes` are PORTAL_ settings in lower case."""
    port = free_port()
    own = {
        "home": str(settings.home),
        "database_url": settings.database_url,
        "port": str(port),
        "base_url": f"http://127.0.0.1:{port}",
        "worker": "false",
        "log_level": "warning",
        "private_carriers": CARRIER,
    } | changes
    process = _start({f"PORTAL_{name.upper()}": text for name, text in own.items()}, log)
    try:
        site = Site(port, own["base_url"].partition("://")[2], log)
        _wait(site, process)
        yield site
        site.close()
    finally:
        # The server's own processes are in the group that it leads, and may outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(settings: dict[str, str], log: Path) -> subprocess.Popen:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
    command = [sys.executable, "-m", "portal", "serve", "--workers", "2"]
    with log.open("ab") as out:
        return subprocess.Popen(
            command, cwd=ROOT, env=kept | settings, stdout=out, stderr=out, start_new_session=True
        )


def _wait(site: Site, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            # The second process comes a little later than the first.
            answers = [site.door().get("/sign-in").status for _ in range(8)]
            assert answers == [200] * 8, answers
            return site.close()
        site.close()
        time.sleep(0.1)
    raise AssertionError(f"no server: {site.log.read_text(encoding='utf-8')}")
