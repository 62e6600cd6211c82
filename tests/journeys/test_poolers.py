"""Does everything hold behind a pooler that lends each connection for one transaction, as PgBouncer does?"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from portal import database as portal_database
from portal.services import beginnings, database_timelines
from tests import postgresql
from tests.journeys.conftest import NAME, answered, client_of, code_of, make_database, serving
from tests.pooler import Pooler

NUMBERS = ("+819012345678", "+818087654321", "+817012345678")
ROUNDS = 40


@pytest.fixture
def database() -> str:
    """A pooler stands before PostgreSQL only."""
    return "postgresql"


@pytest.fixture
def pooler(settings) -> Iterator[Pooler]:
    """Two clients' transactions take turns on one connection of the server."""
    yield from standing_before(settings, size=1)


@pytest.fixture
def wide(settings) -> Iterator[Pooler]:
    """Which of two connections a transaction gets is a matter of chance."""
    yield from standing_before(settings, size=2)


def standing_before(settings, size: int) -> Iterator[Pooler]:
    host, _slash, name = settings.database_url.rpartition("/")
    pooler = Pooler(int(host.rpartition(":")[2]), user=postgresql.APP, database=name, size=size)
    yield pooler
    pooler.close()


def through(pooler: Pooler) -> psycopg.Connection:
    """A client of the pooler's that says nothing of whose rows it wants."""
    address = f"postgresql://{postgresql.APP}@127.0.0.1:{pooler.port}/any"
    return psycopg.connect(address, autocommit=True, prepare_threshold=None)


def two_hosts(pooler: Pooler, home):
    where = f"127.0.0.1:{pooler.port}"
    return serving(home, where), serving(home, where)


def at_once(*works) -> None:
    """Does all of it at the same time; what one raises is raised here."""
    raised: list[BaseException] = []

    def run(work) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def test_ten_03_what_one_transaction_said_is_not_there_in_the_next_one_of_another_client(pooler, settings):
    """Two hosts and somebody who says nothing share one connection, transaction by transaction."""
    one, two = two_hosts(pooler, settings.home)
    with one as first, two as second, through(pooler) as silent:
        shop, cafe = client_of(first, "Shop"), client_of(second, "Cafe")
        dora, eve = shop.sign_up(phoneNumber=NUMBERS[0]), cafe.sign_up(phoneNumber=NUMBERS[1])
        pids: set[int] = set()
        heard: Counter[str] = Counter()
        over = threading.Event()

        def live(user, other) -> None:
            for _ in range(ROUNDS):
                assert user.refresh()["userID"] == user.id
                assert user.kii.as_admin().ask("GET", f"/users/{other.id}").status_code == 404
            over.set()

        def listen() -> None:
            ask = """SELECT pg_backend_pid(), coalesce(current_setting('ringback.app_id', true), ''),
                (SELECT count(*) FROM "user"), (SELECT count(*) FROM app)"""
            while not over.is_set():
                pid, said, users, apps = silent.execute(ask).fetchone()
                pids.add(pid)
                heard[f"{said!r} {users} {apps}"] += 1

        at_once(lambda: live(dora, eve), lambda: live(eve, dora), listen)
        assert len(pids) == 1
        assert set(heard) == {"'' 0 0"}
        assert heard.total() > ROUNDS


def test_a_life_cycle_through_whichever_connection_is_free(wide, settings):
    one, two = two_hosts(wide, settings.home)
    with one as first, two as second:
        works = []
        for served, numbers in ((first, NUMBERS[:2]), (second, NUMBERS[1:])):
            kii = client_of(served)

            def live(kii=kii, numbers=numbers) -> None:
                for at in range(8):
                    user = kii.sign_up(phoneNumber=numbers[0][:-1] + str(at))
                    assert user.verify("000000").status_code in (200, 403)
                    assert user.verify(code_of(kii, user.id)).status_code in (200, 400)
                    assert user.change_phone(numbers[1][:-1] + str(at)).status_code == 204
                    assert user.resend().status_code in (204, 429)
                    assert user.verify(code_of(kii, user.id)).status_code == 200
                    assert user.refresh()["phoneNumber"] == numbers[1][:-1] + str(at)

            works.append(live)
        at_once(*works)


def test_nobody_prepares_what_would_be_another_statement_on_the_next_connection(pooler, settings):
    """The names are the same in all clients, so one would run what another one has prepared."""
    one, two = two_hosts(pooler, settings.home)
    with one as first, two as second:
        for number, served in [(1, first), (2, second)] * 8:
            with served.app_context():
                session = portal_database.db.session()
                assert session.scalar(text(f"SELECT {number}")) == number
                session.commit()


def test_on_a_server_s_own_connection_statements_are_prepared_as_ever(app):
    with app.app_context():
        session = portal_database.db.session()
        for _ in range(8):
            session.execute(text("SELECT count(*) FROM alembic_version"))
        found = session.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
        portal_database.db.session.remove()
    assert found > 0


@pytest.mark.slow
def test_dat_03_a_failover_behind_the_pooler_which_no_client_notices_voids_used_codes_too(two, tmp_path):
    """Connections to the pooler stay; only in a transaction can anybody tell where they lead now."""
    make_database(two)
    pooler = Pooler(two.primary.port, user=postgresql.APP, database=NAME, size=3)
    with serving(tmp_path, f"127.0.0.1:{pooler.port}") as served:
        kii = client_of(served)
        dora, eve = kii.sign_up(phoneNumber=NUMBERS[0]), kii.sign_up(phoneNumber=NUMBERS[1])
        code, unused = code_of(kii, dora.id), code_of(kii, eve.id)
        two.catch_up()
        two.cut_off()
        assert dora.verify(code).status_code == 200
        two.standby.ask("SELECT pg_promote()")
        time.sleep(0.5)
        pooler.lead_to(two.standby.port)

        answer, seen = answered(lambda: dora.verify(code))
        assert (answer.status_code, seen) == (410, [410]), "no connection broke"
        assert eve.verify(unused).status_code == 410
        assert eve.change_phone(NUMBERS[2]).status_code == 204
        assert eve.verify(code_of(kii, eve.id)).status_code == 200
        # And back, to the one that was replaced.
        pooler.lead_to(two.primary.port)
        assert eve.ask("GET").status_code == 503
    pooler.close()


def test_dat_03_a_pooler_that_finds_no_server_is_trouble_that_passes(pooler, settings):
    """It lets clients in and then has nobody to ask: 503 as of any database that is away, and no 500."""
    there = int(settings.database_url.rpartition("/")[0].rpartition(":")[2])
    with socket.socket() as nobody, serving(settings.home, f"127.0.0.1:{pooler.port}") as served:
        nobody.bind(("127.0.0.1", 0))
        kii = client_of(served)
        dora = kii.sign_up(phoneNumber=NUMBERS[0])
        pooler.lead_to(nobody.getsockname()[1])
        for _ in range(3):
            assert dora.ask("GET").status_code == 503
            assert kii.http.get("/sign-in").status_code == 503
            assert kii.http.get("/readyz").status_code == 503
        pooler.lead_to(there)
        assert dora.ask("GET").status_code == 200
        assert kii.http.get("/readyz").status_code == 200


def test_dat_03_a_pooler_that_leads_now_here_and_now_there_is_not_believed(pooler, settings, monkeypatch):
    with serving(settings.home, f"127.0.0.1:{pooler.port}") as served:
        dora = client_of(served).sign_up(phoneNumber=NUMBERS[0])
        monkeypatch.setattr(beginnings, "_ASKING", f"{beginnings._BEGIN_SAYING}, 'elsewhere'")
        assert dora.ask("GET").status_code == 503


def test_dat_03_a_managed_server_that_hides_its_timeline_is_used_behind_a_pooler_too(
    pooler, settings, monkeypatch
):
    refusal = text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege'; END $$")
    monkeypatch.setattr(database_timelines, "_LOOK", refusal)
    with serving(settings.home, f"127.0.0.1:{pooler.port}") as served:
        dora = client_of(served).sign_up(phoneNumber=NUMBERS[0])
        assert dora.refresh()["userID"] == dora.id
