"""A town for the soak: real processes on one database, apps with a carrier, and people who sign up."""

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from portal import keys as portal_keys
from portal.models import App, Message, MessageState
from tests import factories
from tests.bench.servers import free_port
from tests.soak.sink import Sink

ROOT = Path(__file__).parents[2]
# Rounds of killing; `make soak` plays a hundred of them, and ROUNDS=10 is for trying it out.
ROUNDS = int(os.environ.get("ROUNDS", "100"))
LEASE_MS = 3_000
BODY = '{"to": "{to}", "text": "{text}", "reference": "{reference}"}'
UNDER_WAY = (MessageState.QUEUED, MessageState.SENDING)
_VENDOR = "application/vnd.kii.{}+json"


class Process:
    """One `portal serve` or `portal worker`, started again under the same settings after each end."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self._command, self._environment, self._log = command, environment, log
        self.popen = self._begin()

    def kill(self) -> None:
        """kill -9, and up again."""
        self.signal(signal.SIGKILL)
        self.popen.wait()
        self.popen = self._begin()

    def signal(self, which: signal.Signals) -> None:
        self.popen.send_signal(which)

    def end(self) -> None:
        self.popen.kill()
        self.popen.wait()

    def memory_mb(self) -> float:
        """What it holds in memory (Linux)."""
        text = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    def _begin(self) -> subprocess.Popen:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )


class Town:
    """What a soak plays with. Every process that was started is gone at its end."""

    def __init__(self, settings, session, sink: Sink, folder: Path) -> None:
        self.settings, self.session, self.sink = settings, session, sink
        self.port, self._folder = free_port(), folder
        self._processes: list[Process] = []
        self._numbers = itertools.count(20_000_000)
        portal_keys.load(settings.home)

    def app(self, name: str) -> App:
        """A live app whose carrier is the sink, at the path `name`."""
        app = factories.app(
            self.session,
            name=name,
            mode="live",
            provider="carriers",
            phone_number_verification_required=True,
        )
        factories.open_country(self.session, app_id=app.id)
        factories.sms_template(self.session, app_id=app.id)
        about = {"url": self.sink.url(name), "body": BODY, "content_type": "application/json"}
        factories.provider(self.session, app_id=app.id, kind="http", settings=about)
        return app

    def start(self, *command: str, **settings: str) -> Process:
        """`portal` with these words, and PORTAL_ settings beside the usual ones."""
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
        environment |= {
            "PORTAL_HOME": str(self.settings.home),
            "PORTAL_DATABASE_URL": self.settings.database_url,
            "PORTAL_PORT": str(self.port),
            "PORTAL_WORKER": "false",
            "PORTAL_LIMITS": "bench",
            "PORTAL_LOG_LEVEL": "warning",
            "PORTAL_PRIVATE_CARRIERS": f"127.0.0.1:{self.sink.port}",
        } | {f"PORTAL_{name.upper()}": text for name, text in settings.items()}
        words = [sys.executable, "-m", "tests.soak.ringback", str(LEASE_MS), *command]
        process = Process(words, environment, self._folder / f"{command[0]}-{len(self._processes)}.log")
        self._processes.append(process)
        return process

    def wait_for_web(self) -> None:
        """Waits till `portal serve` answers."""
        wait_until(lambda: self.call("GET", "/api/openapi.json")[0] == 200, 60)

    def sign_up(self, app: App) -> tuple[int, dict, str]:
        """Somebody new, who gives a number: the status of that (0 for no answer), the user, and the number.

        People without a password cost no hash, which would be most of what is measured here.
        """
        number = f"+8190{next(self._numbers)}"
        kind = _VENDOR.format("RegistrationAndAuthorizationRequest")
        headers = {"Content-Type": kind, "X-Kii-AppID": app.id, "X-Kii-AppKey": "any"}
        status, user = self.call("POST", f"/api/apps/{app.id}/users", {}, headers)
        if status != 201:
            return 0 if status == 0 else -status, {}, number
        kind = _VENDOR.format("PhoneNumberModificationRequest")
        headers = {"Content-Type": kind, "Authorization": f"Bearer {user['_accessToken']}"}
        path = f"/api/apps/{app.id}/users/me/phone-number"
        status, answer = self.call("PUT", path, {"phoneNumber": number}, headers)
        return status, user | answer, number

    def verify(self, app: App, token: str, code: str) -> int:
        """Sends a code back; the status, 0 for no answer."""
        headers = {"Content-Type": _VENDOR.format("AddressVerificationRequest")}
        headers |= {"Authorization": f"Bearer {token}"}
        path = f"/api/apps/{app.id}/users/me/phone-number/verify"
        return self.call("POST", path, {"verificationCode": code}, headers)[0]

    def call(self, method: str, path: str, body: dict | None = None, headers: dict | None = None):
        """One request: its status and JSON, or 0 and nothing when the server is not there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers or {})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
        finally:
            connection.close()

    def under_way(self) -> int:
        return self.session.scalar(
            select(func.count()).select_from(Message).where(Message.state.in_(UNDER_WAY))
        )

    def tell_planner(self) -> None:
        """Lets PostgreSQL know how large its tables are; the tests' server does not look by itself."""
        if self.settings.database_url:
            self.session.execute(text("ANALYZE"))

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted(self._folder.glob("*.log")))

    def end(self) -> None:
        for each in self._processes:
            each.end()


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    """Waits till it holds, and fails when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def town(settings, session, sink, tmp_path) -> Iterator[Town]:
    folder = tmp_path / "logs"
    folder.mkdir()
    made = Town(settings, session, sink, folder)
    yield made
    made.end()


@pytest.fixture
def say(request) -> Callable[[str], None]:
    """Prints a figure although the test passes."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def out(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n  {request.node.name}: {text}", flush=True)

    return out
