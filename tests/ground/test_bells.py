"""Is a message that another process puts down heard of at once?"""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from portal import bells
from portal.bells import Listener
from portal.config import Settings
from tests.pooler import Pooler

ROOT = Path(__file__).parents[2]
ELSEWHERE = """
import sys
from flask import Flask
from portal import database
from portal.services.outbox import BELL
rows = Flask("rows")
rows.config["SQLALCHEMY_DATABASE_URI"] = sys.argv[1]
database.db.init_app(rows)
with rows.app_context():
    database.prepare(database.db.engine)
    for _ in range(int(sys.argv[3])):
        with database.transaction() as session:
            session.execute(database.db.text("SELECT 1"))
            session.info[BELL] = True
            if sys.argv[2] == "fail":
                raise RuntimeError("nothing is committed")
"""


class Ear:
    """What a listener calls, and a way to wait for the next ring."""

    def __init__(self, url: str) -> None:
        self._rang = threading.Event()
        self.listener = Listener(make_url(url), self._rang.set)
        self.listener.start()
        # It rings once when it begins to listen, for whatever came before.
        assert self.hears(10)

    def hears(self, seconds: float) -> bool:
        heard = self._rang.wait(seconds)
        self._rang.clear()
        return heard


@pytest.fixture
def ear(settings):
    made = Ear(settings.sqlalchemy_url)
    yield made
    made.listener.stop()


def put_down_elsewhere(settings, how: str = "commit", times: int = 1) -> None:
    command = [sys.executable, "-c", ELSEWHERE, settings.sqlalchemy_url, how, str(times)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)


def rings_of(settings, commits: int) -> int:
    """How often a listener of PostgreSQL's hears a process that puts down one message after another."""
    with psycopg.connect(settings.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("LISTEN ringback_outbox")
        put_down_elsewhere(settings, times=commits)
        return sum(1 for _ in connection.notifies(timeout=0.2))


def test_a_commit_of_another_process_rings(settings, ear):
    put_down_elsewhere(settings)
    assert ear.hears(0.5)


def test_a_transaction_that_is_undone_rings_at_nobody(settings, ear):
    put_down_elsewhere(settings, "fail")
    assert not ear.hears(0.3)


def test_a_commit_right_after_another_one_rings_too(settings, database):
    if database == "postgresql":
        # The second one comes within the pause; its process does not end before it has rung.
        assert rings_of(settings, commits=2) == 2


def test_many_commits_ring_a_few_times(settings, database):
    if database == "postgresql":
        assert rings_of(settings, commits=200) < 50


def test_every_worker_hears_it(settings, ear):
    other = Ear(settings.sqlalchemy_url)
    put_down_elsewhere(settings)
    assert ear.hears(0.5)
    assert other.hears(0.5)
    other.listener.stop()


def test_a_listener_whose_connection_was_cut_comes_back(settings, ear, database):
    if database == "postgresql":
        with psycopg.connect(settings.database_url.replace("+psycopg", ""), autocommit=True) as connection:
            ended = connection.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND query LIKE 'LISTEN%'"""
            )
            assert ended.fetchall() == [(True,)]
        assert ear.hears(10), "it rings when it listens again"
    put_down_elsewhere(settings)
    assert ear.hears(0.5)


def behind(settings, lends: str) -> tuple[Pooler, str]:
    """A pooler before the test's PostgreSQL, and the address through it."""
    address = make_url(settings.sqlalchemy_url)
    pooler = Pooler(address.port, user=address.username, database=address.database, size=4, lends=lends)
    return pooler, address.set(port=pooler.port).render_as_string(hide_password=False)


def test_behind_a_pooler_that_lends_for_a_session_it_is_heard_at_once(settings, database):
    if database != "postgresql":
        return
    pooler, url = behind(settings, "session")
    ear = Ear(url)
    assert not ear.hears(0.6)
    put_down_elsewhere(settings)
    assert ear.hears(0.5)
    ear.listener.stop()
    pooler.close()


def test_behind_a_pooler_that_lends_for_a_transaction_nobody_listens_and_looks_often_instead(
    settings, database
):
    if database != "postgresql":
        return
    pooler, url = behind(settings, "transaction")
    # It finds out by a bell that does not ring, and goes by the clock from then on.
    ear = Ear(url)
    assert [ear.hears(0.5) for _ in range(4)] == [True] * 4
    ear.listener.stop()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        assert not [
            channel
            for (channel,) in connection.execute("SELECT pg_listening_channels()")
            if channel == "ringback_outbox"
        ]
    pooler.close()


def test_an_address_of_several_servers_is_listened_to_on_the_one_that_answers(settings, database):
    if database != "postgresql":
        return
    address = make_url(settings.sqlalchemy_url)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        hosts = f"127.0.0.1:{nobody.getsockname()[1]},{address.host}:{address.port}"
        url = Settings(database_url=f"postgresql://{address.username}@{hosts}/{address.database}")
        ear = Ear(url.sqlalchemy_url)
    put_down_elsewhere(settings)
    assert ear.hears(0.5)
    ear.listener.stop()


def test_what_a_killed_worker_left_behind_is_swept_away(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'ringback.db'}")
    bells.ring_after(engine)
    folder = tmp_path / "ringback.db-bells"
    folder.mkdir()
    os.mkfifo(folder / "999-dead")
    bells.ring_after(engine)
    assert list(folder.iterdir()) == []
