"""A transaction commits whole or not at all, and SQLite is refused where it would not keep its word."""

import multiprocessing
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, delete, event, func, insert, select, text, update

import portal.database
from portal.database import PRAGMAS, WrongPragma, prepare
from portal.errors import BadInput, WrongCode
from portal.models import Account
from portal.services.outbox import BELL
from tests import factories

EMAIL = "dora@example.com"


@pytest.fixture
def count(session):
    """`count()` is how many accounts others can see."""
    return lambda: session.scalar(select(func.count()).select_from(Account))


@pytest.fixture
def rings(monkeypatch) -> list[str]:
    """One entry each time the bell rang."""
    heard: list[str] = []
    monkeypatch.setattr(portal.database, "_bell", lambda: heard.append("ring"))
    return heard


def write_and_raise(transaction, error: BaseException) -> None:
    """A transaction that puts an account down, wants the bell rung, and then fails."""
    with transaction() as session:
        factories.account(session)
        session.info[BELL] = True
        raise error


def test_a_transaction_is_seen_by_others_only_when_it_is_over(transaction, count):
    with transaction() as session:
        factories.account(session, email=EMAIL)
        factories.account(session)
        assert count() == 0
    assert count() == 2


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, lambda: BadInput("a", "b")])
def test_dat_02_whatever_goes_wrong_takes_everything_back(transaction, count, rings, error):
    raised = error()
    with pytest.raises(type(raised)):
        write_and_raise(transaction, raised)
    assert count() == 0
    assert rings == []


def test_otp_04_a_wrong_code_keeps_its_changes_although_it_is_refused(transaction, count, rings):
    with pytest.raises(WrongCode):
        write_and_raise(transaction, WrongCode("Wrong."))
    assert count() == 1
    assert rings == []


def test_a_transaction_commits_exactly_once(transaction):
    commits = []
    with transaction() as session:
        engine = session.get_bind()
        event.listen(engine, "commit", commits.append)
        factories.account(session)
        session.flush()
        factories.account(session)
        assert commits == []
    assert len(commits) == 1


def test_the_next_transaction_starts_clean_after_one_that_failed(transaction, count, rings):
    with pytest.raises(RuntimeError):
        write_and_raise(transaction, RuntimeError())
    with transaction() as session:
        assert not list(session)
        factories.account(session)
    assert count() == 1
    assert rings == [], "the bell of the failed transaction is forgotten"


def test_the_bell_rings_once_after_the_commit_and_not_again(transaction, count, monkeypatch):
    seen = []
    monkeypatch.setattr(portal.database, "_bell", lambda: seen.append(count()))
    with transaction() as session:
        factories.account(session)
        session.info[BELL] = True
        assert seen == []
    with transaction() as session:
        factories.account(session)
    assert seen == [1]


def test_a_commit_that_fails_rings_nothing_and_frees_the_next_writer(transaction, count, rings, monkeypatch):
    def write_and_fail_to_commit():
        with transaction() as session:
            factories.account(session)
            session.info[BELL] = True
            monkeypatch.setattr(session, "commit", _fail)

    with pytest.raises(RuntimeError):
        write_and_fail_to_commit()
    monkeypatch.undo()
    with transaction() as session:
        factories.account(session)
    assert count() == 1
    assert rings == []


def _fail() -> None:
    raise RuntimeError


def test_what_was_read_before_does_not_hold_a_transaction_back(app, session):
    """A request reads first, somebody else writes, then the request writes: it must not be refused."""
    with app.app_context():
        portal.database.reading().scalar(select(func.count()).select_from(Account))
        factories.account(session, email=EMAIL)
        with portal.database.transaction() as inside:
            found = inside.scalar(select(Account.email))
            inside.execute(update(Account).values(active=False))
    assert found == EMAIL
    assert session.scalar(select(Account.active)) is False


def test_dat_01_many_writers_at_once_all_get_through(transaction, count):
    def write():
        with transaction() as session:
            factories.account(session)

    threads = [threading.Thread(target=write) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert count() == 12


# --- SQLite ----------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    """A SQLite file of the test's own."""
    return tmp_path / "own.db"


@pytest.fixture
def engine_of(file):
    """`engine_of(url)` is a prepared engine, closed at the end."""
    made = []

    def make(url: str = ""):
        engine = create_engine(url or f"sqlite:///{file}")
        prepare(engine)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.dispose()


def test_dat_01_every_connection_has_the_pragmas(engine_of):
    engine = engine_of()
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            found = {name: connection.scalar(text(f"PRAGMA {name}")) for name in PRAGMAS}
            assert found == {
                "journal_mode": "wal",
                "synchronous": 2,
                "foreign_keys": 1,
                "busy_timeout": 10_000,
            }


def test_dat_01_a_database_that_does_not_take_a_pragma_is_refused(engine_of):
    with pytest.raises(WrongPragma) as refused:
        engine_of("sqlite:///:memory:").connect()
    assert "journal_mode" in str(refused.value)


@pytest.mark.parametrize("name", ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"])
def test_dat_01_each_pragma_is_read_back(monkeypatch, file, name):
    class Forgetful(sqlite3.Connection):
        def execute(self, statement, *more):
            return super().execute("SELECT 1" if f"{name} =" in statement else statement, *more)

    monkeypatch.setitem(PRAGMAS, "synchronous", 3 if name == "synchronous" else 2)
    engine = create_engine(f"sqlite:///{file}", connect_args={"factory": Forgetful})
    prepare(engine)
    with pytest.raises(WrongPragma) as refused:
        engine.connect()
    assert name in str(refused.value)
    engine.dispose()


def test_dat_01_a_write_takes_the_lock_at_its_start_and_a_read_takes_none(engine_of, file):
    engine = engine_of()
    stranger = sqlite3.connect(file, timeout=0, isolation_level=None)
    with engine.connect().execution_options(ringback_write=True) as connection:
        connection.begin()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            stranger.execute("BEGIN IMMEDIATE")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM sqlite_master"))
        stranger.execute("BEGIN IMMEDIATE")
    stranger.close()


READ = select(Account.id)
WRITES = {
    "an insert": insert(Account).values(id="a" * 32, email=EMAIL, password="x", created_at=1),
    "an update": update(Account).values(email=EMAIL),
    "a delete": delete(Account),
    "a read that locks": READ.with_for_update(),
    "a text": text("SELECT 1"),
}


@pytest.fixture
def said(transaction) -> list[str]:
    """What the database is told, statement by statement."""
    told: list[str] = []
    with transaction() as session:
        engine = session.get_bind()

    def note(*call) -> None:
        told.append(call[2])

    event.listen(engine, "before_cursor_execute", note)
    yield told
    event.remove(engine, "before_cursor_execute", note)


def begun(said: list[str]) -> list[str]:
    return [sql for sql in said if sql.startswith("BEGIN")]


@pytest.mark.parametrize("what", list(WRITES))
def test_dat_01_a_door_queues_as_sqlites_writer_when_it_first_writes_or_locks(transaction, said, what):
    with transaction() as session:
        session.scalar(READ)
        assert begun(said) == []
        session.execute(WRITES[what])
        session.execute(WRITES[what] if what == "a read that locks" else READ)
        assert begun(said) == (["BEGIN IMMEDIATE"] if is_sqlite(session) else [])
        session.rollback()


def test_dat_01_a_door_that_only_reads_holds_nobody_up(transaction, said):
    with transaction() as reader:
        reader.scalar(READ)
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(_add_account, transaction).result(timeout=20)
        assert reader.scalar(select(func.count()).select_from(Account)) == 1


def _add_account(transaction) -> None:
    with transaction() as session:
        factories.account(session)


def test_dat_01_a_lock_that_fails_keeps_the_next_writer_from_nothing(monkeypatch, file):
    writer = portal.database._Writer(str(file))
    with monkeypatch.context() as broken:
        broken.setattr(portal.database.fcntl, "flock", _refuse_lock)
        with pytest.raises(OSError, match="no locks left"):
            writer.acquire()
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(writer.acquire).result(timeout=20)
    writer.release()


def test_dat_01_processes_that_were_forked_after_it_was_made_still_take_turns(file):
    """The server processes share their parent's app, and must not share its lock as well."""
    writer = portal.database._Writer(str(file))
    forked = multiprocessing.get_context("fork")
    has_it, may_go = forked.Event(), forked.Event()

    def hold() -> None:
        writer.acquire()
        has_it.set()
        may_go.wait(20)

    other = forked.Process(target=hold)
    other.start()
    assert has_it.wait(20)
    with ThreadPoolExecutor() as here:
        waiting = here.submit(writer.acquire)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.2)
        may_go.set()
        waiting.result(timeout=20)
    writer.release()
    other.join(20)


def _refuse_lock(*_arguments) -> None:
    raise OSError("no locks left")


def is_sqlite(session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def test_a_server_that_went_away_while_nobody_asked_is_noticed_before_the_next_transaction(transaction):
    with transaction() as session:
        stranger = create_engine(session.get_bind().url)
        served_by = None if is_sqlite(session) else session.scalar(text("SELECT pg_backend_pid()"))
    with stranger.begin() as connection:
        if served_by is not None:
            connection.scalar(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": served_by})
    stranger.dispose()

    _add_account(transaction)
