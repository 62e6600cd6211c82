"""How is Ringback started and ended?"""

import signal
import socket
import time
import urllib.error
import urllib.request

import pytest
from sqlalchemy import select

from portal.models import App, Message, OpenCountry, WorkerBeat
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


# --- Leaving (OPS-03) ----------------------------------------------------------------------------


def ask(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("options", [[], ["--workers", "2"]], ids=["one process", "two processes"])
def test_ops_03_on_sigterm_it_is_unready_at_once_goes_on_answering_and_ends_well(
    serving, session, waiting_message, options
):
    served = serving(*options, PORTAL_DRAIN_SECONDS="2")
    wait_for(lambda: session.get(Message, waiting_message.serial).state == "delivered")
    assert ask(served.port, "/readyz") == 200
    began = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    wait_for(lambda: ask(served.port, "/readyz") == 503, seconds=1)
    assert ask(served.port, "/healthz") == 200
    assert ask(served.port, "/sign-in") == 200
    # No claim is made any more, although requests still are answered.
    late = factories.message(session, values={"app_name": "Shop"}, app_id=waiting_message.app_id)
    assert served.process.wait(30) == 0
    assert 2 <= time.monotonic() - began < 12
    kept = session.get(Message, late.serial)
    assert (kept.state, kept.lease) == ("queued", None)
    assert session.scalars(select(WorkerBeat)).all() == []


def test_ops_03_a_request_that_has_begun_is_answered_after_sigterm(serving):
    served = serving()
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as slow:
        slow.sendall(b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n\r\n")
        time.sleep(0.3)
        served.process.send_signal(signal.SIGTERM)
        time.sleep(1.5)
        slow.sendall(b"a=b")
        assert slow.recv(12) == b"HTTP/1.1 400"
    assert served.process.wait(30) == 0


def test_ops_03_a_second_sigterm_does_not_wait(serving):
    served = serving(PORTAL_DRAIN_SECONDS="60")
    for _ in range(2):
        served.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    assert served.process.wait(10) == 0


def test_ops_03_when_the_parent_is_killed_its_processes_let_go_of_the_port(serving):
    served = serving("--workers", "2")
    served.process.send_signal(signal.SIGKILL)
    wait_for(lambda: is_free(served.port), seconds=15)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_ops_02_every_process_of_a_server_tells_the_figures_of_all(serving):
    token = "a-token-of-the-operator"
    served = serving("--workers", "2", PORTAL_METRICS_TOKEN=token)
    for _ in range(20):
        assert ask(served.port, "/sign-in") == 200
    request = urllib.request.Request(
        f"http://127.0.0.1:{served.port}/metrics", headers={"Authorization": f"Bearer {token}"}
    )
    figures = set()
    for _ in range(10):
        with urllib.request.urlopen(request, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        figures |= {
            line for line in lines if line.startswith("ringback_requests_total") and "sign-in" in line
        }
    assert len(figures) == 1
    # One more than these, by which the test waited for the server.
    assert figures.pop().endswith(" 21.0")
