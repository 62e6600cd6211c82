"""Is the operator really called when a worker dies, by servers that live on? (OPS-02)"""

import json
import signal
import time

import pytest

from tests.delivery.odd_servers import OddServer, answers


@pytest.fixture
def receiver():
    """Where the operator hears alarms."""
    server = OddServer(answers())
    yield server
    server.close()


@pytest.fixture
def hire(operator):
    """`hire()` is one more worker; those that still work at the end are killed, frozen ones too."""
    hired = []

    def start():
        hired.append(operator.starts("worker"))
        return hired[-1]

    yield start
    for worker in hired:
        worker.kill()
        worker.communicate()


def heard(receiver) -> list[tuple[str, str]]:
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in receiver.requests]
    return [(body["name"], body["level"]) for body in bodies]


def wait_for(condition, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.slow
def test_ops_02_a_dead_worker_with_an_empty_queue_pages_by_webhook_and_the_next_one_clears_it(
    serving, operator, hire, receiver
):
    operator.environment |= {"PORTAL_ALARM_URL": f"http://127.0.0.1:{receiver.port}/hook"}
    serving(PORTAL_WORKER="false")
    worker = hire()
    assert worker.stdout.readline() == "The worker is running. Ctrl-C stops it.\n"
    time.sleep(1)
    worker.send_signal(signal.SIGKILL)
    wait_for(lambda: heard(receiver) == [("worker_dead", "page")], seconds=60)
    hire()
    wait_for(lambda: heard(receiver) == [("worker_dead", "page"), ("worker_dead", "over")], seconds=60)
