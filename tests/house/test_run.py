"""Are the rules of a test run kept? This machine only, and on CI nothing skipped."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.conftest import ROOT

SKIPPED = "import pytest\n\n\ndef test_it_is_skipped():\n    pytest.skip('no such machine')\n"
PASSED = "def test_it_passes():\n    assert True\n"
WAITS = """
import time

def test_it_waits(postgresql_database):
    print('up', flush=True)
    time.sleep(60)
"""


def command(path, *options):
    return [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        *options,
        str(path),
    ]


def run(tmp_path, text, **environment):
    path = tmp_path / "test_one.py"
    path.write_text(text, encoding="utf-8")
    known = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        command(path), cwd=ROOT, env=known | environment, capture_output=True, text=True, check=False
    )


def test_on_ci_a_skipped_test_fails_the_run(tmp_path):
    ended = run(tmp_path, SKIPPED, CI="true")

    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "on CI every test must run, and 1 did not" in ended.stdout
    assert "1 skipped" in ended.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "environment"), [(SKIPPED, {}), (PASSED, {"CI": "true"})], ids=["elsewhere", "nothing skipped"]
)
def test_elsewhere_or_with_nothing_skipped_the_run_is_good(tmp_path, text, environment):
    assert run(tmp_path, text, **environment).returncode == pytest.ExitCode.OK


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("ringback.example", 443)])
def test_no_test_reaches_another_machine(address):
    with pytest.raises(RuntimeError, match="tests stay on this machine"):
        socket.create_connection(address, timeout=1)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_the_postgresql_server_ends_with_the_run_however_that_ends(tmp_path, place, ending):
    path = tmp_path / "test_one.py"
    path.write_text(WAITS, encoding="utf-8")
    started = subprocess.Popen(
        command(path, "-s"),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with started:
        assert any("up" in line for line in started.stdout)
        started.send_signal(ending)

    until = time.monotonic() + 15
    while list(place.glob("ringback-postgresql-*")) and time.monotonic() < until:
        time.sleep(0.1)
    assert list(place.glob("ringback-postgresql-*")) == []


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for temporary files that the account which runs PostgreSQL can reach."""
    with tempfile.TemporaryDirectory(prefix="ringback-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)
