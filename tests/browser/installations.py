"""What does a newcomer type? `portal migrate`, `portal demo` and `portal serve`, as `make run` does."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWNER = "owner@ringback.example"


@dataclass(frozen=True)
class Installation:
    """A running Ringback with demo data: where it is, and what its terminal printed."""

    address: str
    environment: Mapping[str, str]
    printed: str

    @property
    def password(self) -> str:
        """The demo owner's one-time password, as it was printed."""
        found = re.search(rf"{re.escape(OWNER)} +password (\S+)", self.printed)
        assert found, self.printed
        return found[1]

    def types(self, *words: str) -> str:
        """What a further command prints."""
        return _run(self.environment, *words)


@contextmanager
def running(home: Path, database_url: str = "") -> Iterator[Installation]:
    """An installation in an empty folder, from nothing to its first page; stopped at the end."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
    own = {"PORTAL_HOME": str(home), "PORTAL_DATABASE_URL": database_url, "PORTAL_PORT": str(_free_port())}
    environment = kept | own
    printed = _run(environment, "migrate") + _run(environment, "demo")
    process = subprocess.Popen(
        _command("serve"),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            line = process.stdout.readline()
            address = re.search(r"http://\S+", line)
            assert address, line + process.stdout.read()
            _wait_for(address[0])
            yield Installation(address[0], environment, printed + line)
        finally:
            process.terminate()


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "portal", *words]


def _run(environment: Mapping[str, str], *words: str) -> str:
    ended = subprocess.run(
        _command(*words), cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=10):
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            assert time.monotonic() < end, f"nothing answers at {address}"
            time.sleep(0.05)
