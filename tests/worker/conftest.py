"""An outbox with many messages, and a stand-in for `portal worker` whose provider writes to a file."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from portal import clock as portal_clock
from portal.models import Message, MessageState, SmsTemplateVersion, User, Verification

ROOT = Path(__file__).parents[2]


def put_down(session: Session, app_id: str, count: int, first: int = 0) -> list[str]:
    """Puts messages for so many new users into an app's outbox; returns the messages' ids."""
    now = portal_clock.now()
    wording = session.scalars(select(SmsTemplateVersion).filter_by(app_id=app_id)).one()
    numbers = range(first, first + count)
    ids = [f"{at:032x}" for at in numbers]
    same = {"app_id": app_id, "created_at": now}
    person = {"phone_number_verified": False, "disabled": False, "custom_fields": {}, "modified_at": now}
    code = {"key_version": 1, "issue": 1, "code_length": 6, "code_expires_at": now + 600_000}
    counts = {"guesses": 0, "guesses_allowed": 5, "sends": 1, "sends_allowed": 5, "last_sent_at": now}
    session.execute(insert(User), [{"id": key, "login_name": f"user{key}", **same, **person} for key in ids])
    session.execute(
        insert(Verification),
        [
            {"id": key, "user_id": key, "phone_number": number(at), "purpose": "register", "state": "open"}
            | same
            | code
            | counts
            for key, at in zip(ids, numbers, strict=True)
        ],
    )
    session.execute(
        insert(Message),
        [
            {"id": key, "user_id": key, "verification_id": key, "phone_number": number(at), "due_at": now}
            | {
                "country": "JP",
                "purpose": "verification",
                "locale": "en",
                "sms_template_version_id": wording.id,
                "attempts": 0,
            }
            | {"values": {"app_name": "Shop", "minutes": "10"}, "state": "queued", **same}
            for key, at in zip(ids, numbers, strict=True)
        ],
    )
    return ids


def number(at: int) -> str:
    """The mobile number of the user called `at`."""
    return f"+8190{20_000_000 + at}"


@dataclass
class StandIn:
    """One `portal worker` in a process of its own."""

    process: subprocess.Popen

    def stop(self, how: signal.Signals = signal.SIGTERM, within: float = 20) -> int:
        """Ends the process; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(within)


@dataclass
class Yard:
    """Where workers are started, and the file in which they write what they send."""

    settings: object
    folder: Path
    started: list[StandIn]

    def start(self, *, delay: float = 0, lease: int = 60_000, poison: str = "") -> StandIn:
        """A worker whose provider takes `delay` seconds for an SMS, and dies of that of message `poison`."""
        environment = {name: text for name, text in os.environ.items() if not name.startswith("PORTAL_")}
        environment |= {
            "PORTAL_HOME": str(self.settings.home),
            "PORTAL_DATABASE_URL": self.settings.database_url,
            "PORTAL_LOG_LEVEL": "debug",
        }
        words = [str(self.sent_file), str(delay), str(lease), poison]
        command = [sys.executable, "-m", "tests.worker.stand_in", *words]
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self.started.append(StandIn(process))
        return self.started[-1]

    @property
    def sent_file(self) -> Path:
        return self.folder / "sent"

    @property
    def log_file(self) -> Path:
        return self.folder / "log"

    def sent(self) -> list[dict]:
        """What the workers' providers got, in order."""
        if not self.sent_file.exists():
            return []
        return [json.loads(line) for line in self.sent_file.read_text().splitlines()]

    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""


@pytest.fixture
def yard(settings, keys, tmp_path) -> Iterator[Yard]:
    """Where worker processes are started; those that still run at the end are killed."""
    folder = tmp_path / "yard"
    folder.mkdir()
    yard = Yard(settings, folder, [])
    yield yard
    for each in yard.started:
        each.process.kill()
        each.process.wait()


@pytest.fixture
def outbox(shop, transaction) -> Callable[..., list[str]]:
    """`outbox(300)` puts 300 messages down at once."""

    def fill(count: int, first: int = 0) -> list[str]:
        with transaction() as writing:
            return put_down(writing, shop.id, count, first)

    return fill


@pytest.fixture
def under_way(session) -> Callable[[], int]:
    """How many messages are queued or being sent."""
    states = [MessageState.QUEUED, MessageState.SENDING]
    return lambda: session.scalar(select(func.count()).select_from(Message).where(Message.state.in_(states)))


@pytest.fixture
def until() -> Callable[..., None]:
    """`until(condition)` waits till it holds, and fails the test when it does not in time."""

    def wait(condition: Callable[[], object], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    return wait


@pytest.fixture
def do(transaction, context_for) -> Callable:
    """`do(verb)` is one transaction around a periodic job's verb."""

    def run(verb: Callable) -> int:
        with transaction() as writing:
            return verb(context_for(writing))

    return run
