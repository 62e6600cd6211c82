"""A real Kannel with its fake SMSC, or before a real SMPP server, on this machine for a test's time."""

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

USER, PASSWORD = "tester", "foobar"
FAKE_SMSC = Path("/usr/lib/kannel/test/fakesmsc")
# bearerbox and smsbox stand where only root's path looks.
PATH = "/usr/sbin:/usr/local/sbin:/usr/bin"
_CONFIG = """
group = core
admin-port = {admin}
smsbox-port = {smsbox}
smsbox-interface = 127.0.0.1
admin-password = {password}
admin-deny-ip = "*.*.*.*"
admin-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
{smsc}

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = sendsms-user
username = {user}
password = {password}
concatenation = true
max-messages = 10

group = sms-service
keyword = default
text = "ok"
max-messages = 0
"""


def program(name: str) -> str:
    """Where one of Kannel's programs is; skips the test where there is none."""
    found = shutil.which(name, path=PATH)
    if found is None or not FAKE_SMSC.exists():
        pytest.skip("Kannel is missing: on Debian, run apt-get install kannel kannel-extras.")
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], object], seconds: float = 20):
    """Waits until something holds, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


@dataclass
class Kannel:
    """bearerbox and smsbox over one SMSC; `smsc` is the SMSC's group, or empty for the fake one."""

    folder: Path
    smsc: str = ""
    _processes: list[subprocess.Popen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.admin, self.port, self.smsc_port = free_port(), free_port(), free_port()
        fake = f"smsc = fake\nsmsc-id = FAKE\nport = {self.smsc_port}\nconnect-allow-ip = 127.0.0.1"
        self._config = self.folder / "kannel.conf"
        self._config.write_text(
            _CONFIG.format(
                admin=self.admin,
                smsbox=free_port(),
                sendsms=self.port,
                smsc=self.smsc or fake,
                user=USER,
                password=PASSWORD,
            )
        )

    @property
    def address(self) -> str:
        """Where its sendsms is."""
        return f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"

    def start(self) -> None:
        """Starts bearerbox, smsbox and, unless there is another SMSC, the fake one."""
        self._run("bearerbox.log", program("bearerbox"), "-v", "4", str(self._config))
        until(lambda: self._answers(self.admin))
        self._run("smsbox.log", program("smsbox"), "-v", "4", str(self._config))
        until(lambda: self._answers(self.port))
        if self.smsc:
            return
        whom = ("-H", "127.0.0.1", "-r", str(self.smsc_port))
        self._run("fakesmsc.log", str(FAKE_SMSC), *whom, "-i", "9999", "-m", "1", "1 2 text hi")
        until(self.is_online)

    def is_online(self) -> bool:
        """Whether its SMSC is there."""
        url = f"http://127.0.0.1:{self.admin}/status.txt?password={PASSWORD}"
        with urllib.request.urlopen(url, timeout=5) as status:
            return "(online" in status.read().decode()

    def messages(self) -> list[str]:
        """What the fake SMSC got, as it prints it: `sender number kind text`."""
        lines = (self.folder / "fakesmsc.log").read_text(encoding="utf-8").splitlines()
        return [line.split("<", 1)[1].rsplit(">", 1)[0] for line in lines if "Got message" in line]

    def stop_smsc(self) -> None:
        """Ends the fake SMSC alone."""
        gone = self._processes.pop()
        gone.kill()
        gone.wait()
        until(lambda: not self.is_online())

    def stop(self) -> None:
        """Ends everything that was started here."""
        for process in reversed(self._processes):
            process.kill()
        for process in self._processes:
            process.wait()

    def _run(self, log: str, *command: str) -> None:
        with (self.folder / log).open("wb") as out:
            self._processes.append(
                subprocess.Popen(command, cwd=self.folder, stdout=out, stderr=subprocess.STDOUT)
            )

    def _answers(self, port: int) -> bool:
        assert self._processes[-1].poll() is None, (self.folder / "bearerbox.log").read_text()[-2_000:]
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
