"""How is Ringback started and ended?"""

import signal
import time

import pytest

from portal.models import App, Message, OpenCountry
from tests import factories


def wait_for(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def waiting_message(session):
    """A message in the outbox of a sandbox in Japan."""
    message = factories.message(session, values={"app_name": "Shop"})
    factories.open_country(session, app_id=message.app_id)
    assert session.get_one(App, message.app_id).provider == "inbox"
    assert session.get(OpenCountry, (message.app_id, "JP"))
    return message


@pytest.mark.parametrize("options", [[], ["--workers", "2"]], ids=["one process", "two processes"])
def test_it_prints_its_address_serves_sends_and_ends_when_told_to(serving, waiting_message, session, options):
    served = serving(*options)
    assert served.line == f"Ringback is at http://127.0.0.1:{served.port} (Ctrl-C stops it)\n"
    wait_for(lambda: session.get(Message, waiting_message.serial).state == "delivered")
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) == 0


def test_ctrl_c_ends_it_too(serving):
    served = serving()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(30) == 0


def test_a_server_without_a_worker_sends_nothing_and_a_worker_beside_it_does(
    serving, operator, waiting_message, session
):
    served = serving(PORTAL_WORKER="false")
    time.sleep(2)
    assert session.get(Message, waiting_message.serial).state == "queued"
    worker = operator.starts("worker")
    wait_for(lambda: session.get(Message, waiting_message.serial).state == "delivered")
    for process in (worker, served.process):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0


def test_a_port_that_is_taken_is_refused_in_one_line(serving, operator):
    served = serving()
    assert operator.environment["PORTAL_PORT"] == str(served.port)
    for options in ([], ["--workers", "2"]):
        answer = operator.types("serve", *options)
        assert answer.exit_code == 1
        assert answer.stderr.startswith(f"Error: Cannot listen on 127.0.0.1 port {served.port}: ")


def test_a_worker_beside_servers_ends_when_they_are_gone_however_they_went(operator):
    worker = operator.starts("worker", "--until-stdin-ends")
    time.sleep(1)
    assert worker.poll() is None
    # This closes the worker's standard input, as the end of a server does.
    worker.communicate(timeout=30)
    assert worker.returncode == 0
