"""Starts and ends the servers that are measured: Ringback as operators start it, and the yardstick."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import postgresql

ROOT = Path(__file__).resolve().parents[2]
START_S = 30


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and how long it took to its first answer."""

    port: int
    pid: int
    start_s: float


@contextlib.contextmanager
def ringback(home: Path, url: str, workers: int) -> Iterator[Server]:
    """`portal serve --workers N` under the bench profile, its outbox emptied by `portal worker` elsewhere."""
    port = free_port()
    settings = {
        "PORTAL_HOME": str(home),
        "PORTAL_DATABASE_URL": postgresql.as_role(url, postgresql.APP),
        "PORTAL_PORT": str(port),
        "PORTAL_LIMITS": "bench",
        "PORTAL_WORKER": "false",
        "PORTAL_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "portal", "serve", "--workers", str(workers)]
    with _running(command, settings, port, "/sign-in") as server:
        yield server


@contextlib.contextmanager
def yardstick(url: str, workers: int, threads: int) -> Iterator[Server]:
    """The bare and lean routes, on the same server software with as many processes and threads."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--workers", str(workers), "--blocking-threads", str(threads), "--log-level", "error"]
    command += ["--no-ws", "--factory", "tests.bench.yardsticks:create_app"]
    with _running(command, {"YARDSTICK_URL": url}, port, "/bare") as server:
        yield server


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def pss_mb(pid: int) -> float:
    """The proportional memory of a process and all its children, in MB (Linux)."""
    total = 0
    for each in _tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def _tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


@contextlib.contextmanager
def _running(command: list[str], settings: dict[str, str], port: int, path: str) -> Iterator[Server]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment | settings, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait(process, f"http://127.0.0.1:{port}{path}")
        yield Server(port, process.pid, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen, url: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"the server ended at once with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit("the server did not answer in time")
