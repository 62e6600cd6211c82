"""Does a server live through the absence of its database, and say so? (OPS-01, DAT-03)"""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.engine import make_url

from portal import database as portal_database
from portal.factory import create_app
from tests.gate import Gate


@pytest.fixture
def database() -> str:
    """Only a database server can be away by itself."""
    return "postgresql"


@pytest.fixture
def gate(settings) -> Iterator[Gate]:
    url = make_url(settings.database_url)
    gate = Gate(url.host, url.port)
    yield gate
    gate.shut()


@pytest.fixture
def asked(settings, gate) -> Iterator:
    """Asks a server, behind the gate, for an address; what it answers and after how long (s)."""
    url = make_url(settings.database_url).set(port=gate.port)
    app = create_app(replace(settings, database_url=url.render_as_string(hide_password=False)))
    client = app.test_client()

    def ask(path: str) -> tuple[int, float]:
        began = time.monotonic()
        return client.get(path).status_code, time.monotonic() - began

    yield ask
    with app.app_context():
        portal_database.db.engine.dispose()


def wait_until_ready(asked, seconds: float) -> None:
    end = time.monotonic() + seconds
    while asked("/readyz")[0] != 200:
        assert time.monotonic() < end, "not ready in time"
        time.sleep(0.1)


def test_ops_01_a_stopped_database_is_told_and_no_reason_to_restart_and_its_return_is_found(asked, gate):
    assert asked("/readyz")[0] == 200
    gate.shut()
    for _ in range(3):
        status, seconds = asked("/readyz")
        assert (status, seconds < 1.5) == (503, True)
        assert asked("/healthz")[0] == 200
    # Its form needs a session, which cannot be kept.
    assert asked("/sign-in")[0] == 503
    gate.open()
    wait_until_ready(asked, seconds=5)


def test_ops_01_a_database_that_says_nothing_is_told_within_a_second_and_found_again(asked, gate):
    assert asked("/readyz")[0] == 200
    gate.hold()
    for _ in range(3):
        status, seconds = asked("/readyz")
        assert (status, seconds < 1.5) == (503, True)
        assert asked("/healthz")[1] < 0.5
    gate.let_go()
    wait_until_ready(asked, seconds=5)


def test_dat_03_a_database_that_left_without_a_word_while_it_was_asked_is_noticed_by_its_silence(app):
    """Whoever only waits for an answer sends nothing that could go unanswered, so the system has to ask."""
    with app.app_context(), portal_database.db.engine.connect() as connection:
        descriptor = os.dup(connection.connection.driver_connection.fileno())
        with socket.socket(fileno=descriptor) as line:
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 2
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 3
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
