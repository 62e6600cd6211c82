"""An operator at a terminal: commands in this process, and servers in processes of their own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal import __main__, database, logs
from portal.cli.commands import portal
from portal.cli.installation import Installation
from tests.postgresql import OWNER, as_role

ROOT = Path(__file__).parents[2]


@dataclass
class Operator:
    """Somebody who types commands; `environment` is what PORTAL_ names are set to."""

    environment: dict[str, str]
    installations: list[Installation] = field(default_factory=list)

    def types(self, *words: str, stdin: str = "") -> Result:
        """Runs one command here; `exit_code`, `stdout` and `stderr` are what a script would get."""
        installation = Installation(__main__._make_app, __main__._make_worker, app_target="")
        self.installations.append(installation)
        return CliRunner().invoke(portal, list(words), obj=installation, input=stdin, env=self.environment)

    def starts(self, *words: str) -> subprocess.Popen:
        """Starts one command in a process of its own."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
        command = [sys.executable, "-m", "portal", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=kept | self.environment,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def operator(settings, monkeypatch) -> Iterator[Operator]:
    """An operator of an installation whose schema is up to date."""
    for name in [name for name in os.environ if name.startswith("PORTAL_")]:
        monkeypatch.delenv(name)
    environment = {
        "PORTAL_HOME": str(settings.home),
        "PORTAL_DATABASE_URL": settings.database_url,
        "PORTAL_OWNER_DATABASE_URL": settings.owner_database_url,
    }
    yield (typing := Operator(environment))
    for installation in typing.installations:
        if "app" in installation.__dict__:
            with installation.app.app_context():
                database.db.engine.dispose()
    # The terminal that the last command logged to is closed.
    logs.configure("warning")


@pytest.fixture
def newcomer(operator, empty_url, database) -> Operator:
    """An operator of a database without any table."""
    # One role for everything, as most begin: it owns the tables, and is no superuser.
    operator.environment["PORTAL_DATABASE_URL"] = as_role(empty_url, OWNER)
    operator.environment["PORTAL_OWNER_DATABASE_URL"] = ""
    return operator


@pytest.fixture
def serving(operator) -> Iterator[Callable[..., "Served"]]:
    """`serving("--workers", "2")` is a server that answers; it is killed at the end if it still runs."""
    started = []

    def start(*options: str, **environment: str) -> Served:
        port = free_port()
        operator.environment |= {"PORTAL_PORT": str(port), **environment}
        started.append(process := operator.starts("serve", *options))
        served = Served(process, port, process.stdout.readline())
        served.wait()
        return served

    yield start
    for process in started:
        # The server's own processes are in its group, and may outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@dataclass
class Served:
    """A running server, and the line that it printed."""

    process: subprocess.Popen
    port: int
    line: str

    def wait(self) -> None:
        """Waits until the server answers."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sign-in", timeout=10) as answer:
                    assert answer.status == 200
                    return
            except urllib.error.HTTPError:
                raise
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"no server: {self.line}{self.process.communicate()}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
