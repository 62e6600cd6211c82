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
from tests.bench.servers import free_port, pss_mb
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
    pid: int
    doors: list[Door] = field(default_factory=list, repr=False)

    def door(self) -> Door:
        """A connection of its own, which one of the server's processes holds."""
        self.doors.append(Door(self.port, self.host))
        return self.doors[-1]

    def doors_of_each_process(self) -> list[Door]:
        """One connection to each of the two server processes (Linux)."""
        found: dict[int, Door] = {}
        for _ in range(60):
            door = self.door()
            assert door.get("/sign-in").status == 200
            found.setdefault(self._holder(door.own_port), door)
            if len(found) == 2:
                return list(found.values())
        raise AssertionError("all connections came to one process")

    def _holder(self, client_port: int) -> int:
        """Which process holds the other end of a connection from this port."""
        inode = _inode(self.port, client_port)
        for pid in _tree(self.pid):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(link.readlink()) == f"socket:[{inode}]":
                        return pid
        raise AssertionError(f"nobody holds the connection from {client_port}")

    def memory_mb(self) -> float:
        """What all its processes hold in memory (Linux)."""
        return pss_mb(self.pid)

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
        site = Site(port, own["base_url"].partition("://")[2], log, process.pid)
        _wait(site, process)
        yield site
        site.close()
    finally:
        # The server's own processes are in the group that it leads, and may outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _inode(server_port: int, client_port: int) -> str:
    ends = (f":{server_port:04X}", f":{client_port:04X}")
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    rows = (line.split() for line in lines)
    return next(row[9] for row in rows if (row[1][-5:], row[2][-5:]) == ends)


def _tree(pid: int) -> list[int]:
    """A process and all below it, the lowest first: those hold the connections."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found[::-1]


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
