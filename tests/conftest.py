"""What may every test ask for? Settings, both databases, the app, the clock and the cast."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

import portal.database
from portal import clock as portal_clock
from portal import keys as portal_keys
from portal.cli import database_roles
from portal.config import Settings
from portal.core.limits import DEFAULT
from portal.models import ActorKind, Base
from portal.own_work import of_all_apps
from portal.services.context import Caller, Context
from tests import postgresql
from tests.cast import alice, bob, charlie, new_account, password_hash, shop

__all__ = ["alice", "bob", "charlie", "new_account", "password_hash", "shop"]

MIGRATIONS = Path(portal.database.__file__).parent / "migrations"
THIS_MACHINE = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "", None}
RUN_FOLDER = pytest.StashKey[Path]()
DATABASES = ("sqlite", "postgresql")
# A connection that an earlier test forgot must not hold this one up.
END_OTHER_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


# --- The run: this machine only, one PostgreSQL, and on CI nothing is skipped ------------------------------


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", None)
    config.stash[RUN_FOLDER] = Path(worker["run_folder"]) if worker else postgresql.open_run()
    sys.addaudithook(_stay_on_this_machine)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    node.workerinput["run_folder"] = str(node.config.stash[RUN_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and RUN_FOLDER in config.stash:
        postgresql.close_run(config.stash[RUN_FOLDER])


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _not_run(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    if missing := _not_run(config):
        terminalreporter.write_line(f"FAILED: on CI every test must run, and {missing} did not.", red=True)


def _not_run(config: pytest.Config) -> int:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("CI") or hasattr(config, "workerinput") or reporter is None:
        return 0
    return sum(len(reporter.stats.get(outcome, ())) for outcome in ("skipped", "xfailed", "xpassed"))


def _stay_on_this_machine(event_name: str, details: tuple[object, ...]) -> None:
    # An audit hook sees every library's connections, from the collection of the tests on.
    if event_name in ("socket.connect", "socket.sendto"):
        to = details[1]
        host = to[0] if isinstance(to, tuple) else None
    elif event_name == "socket.getaddrinfo":
        host = details[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in THIS_MACHINE:
        raise RuntimeError(f"a test tried to reach {host!r}; tests stay on this machine")


# --- Settings and databases --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the migrated schema, to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "ringback.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server(pytestconfig: pytest.Config) -> str:
    """The address of this run's PostgreSQL server."""
    try:
        return postgresql.address(pytestconfig.stash[RUN_FOLDER])
    except postgresql.NoPostgresql as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str, worker_id: str) -> Iterator["EmptyableDatabase"]:
    """This worker's own PostgreSQL database, with the migrated schema."""
    url = postgresql.create_database(postgresql_server, f"ringback_{worker_id}")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        yield EmptyableDatabase(migrate_for_app(url), connection)


class EmptyableDatabase:
    """A PostgreSQL database that is emptied before each test, which is ten times faster than a new one."""

    def __init__(self, url: str, connection: psycopg.Connection) -> None:
        self.url = url
        self._connection = connection
        # Rows go without looking at foreign keys, so the order of the tables does not matter.
        connection.execute("SET session_replication_role = replica")
        found = connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
        self._empty = "; ".join(
            [
                END_OTHER_CONNECTIONS,
                *(f'DELETE FROM "{table.name}"' for table in Base.metadata.sorted_tables),
                *(f"SELECT setval('{name}', 1, false)" for (name,) in found.fetchall()),
            ]
        )

    def empty(self) -> None:
        """Deletes every row and starts the serial numbers again."""
        self._connection.execute(self._empty.encode())


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Which database this test runs on: every test that needs one runs once on each."""
    return str(request.param)


@pytest.fixture
def settings(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings over an empty database with the migrated schema, in a home of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    url = ""
    if database == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), home / "ringback.db")
    else:
        emptyable = request.getfixturevalue("postgresql_database")
        emptyable.empty()
        url = emptyable.url
    owner_url = postgresql.as_role(url, postgresql.OWNER)
    return Settings(
        home=home, database_url=url, owner_database_url=owner_url, worker=False, log_level="warning"
    )


@pytest.fixture
def empty_url(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database of the test's own, without any table."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server = request.getfixturevalue("postgresql_server")
    return postgresql.create_database(server, f"empty_{tmp_path.name}_{os.getpid()}"[:63])


def migrate_for_app(url: str) -> str:
    """Has the owner migrate a new PostgreSQL database; returns its address for the role that works on it."""
    migrate(postgresql.as_role(url, postgresql.OWNER))
    engine = create_engine(postgresql.as_role(url, postgresql.OWNER))
    with engine.begin() as connection:
        database_roles.admit(connection, postgresql.APP)
        # Autovacuum is off; a test that looks at plans gathers the statistics itself.
        connection.exec_driver_sql(f"GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {postgresql.APP}")
    engine.dispose()
    return postgresql.as_role(url, postgresql.APP)


def migrate(url: str, to: str = "head", *, down: bool = False, home: Path | None = None) -> None:
    """Takes the database at `url` up to a revision, or down to it; `home` is where its keys are."""
    engine = create_engine(url)
    portal.database.prepare(engine)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine.connect() as connection:
            config.attributes |= {"connection": connection, "home": home}
            (command.downgrade if down else command.upgrade)(config, to)
    finally:
        engine.dispose()


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An engine of the test's own, beside the app's, on which every statement stands for itself.

    On PostgreSQL it is the superuser's, whom no fence keeps from looking.
    """
    address = postgresql.as_role(settings.sqlalchemy_url, postgresql.SUPERUSER)
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = 1"))
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session to look at rows and to put rows down with, outside the app.

    It sees at once what others commit, and what it writes is there for others at the next flush.
    """
    with FreshSession(
        engine, expire_on_commit=False, execution_options={"populate_existing": True}
    ) as session:
        yield session


class FreshSession(Session):
    """A session that asks the database each time, and so never shows what it saw before."""

    def get(self, *arguments, **options):
        """The row with this key, as it is now."""
        return super().get(*arguments, **{"populate_existing": True} | options)


# --- The app -----------------------------------------------------------------------------------------------


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The whole app, on each database."""
    from portal.factory import create_app

    app = create_app(settings)
    app.testing = True
    yield app
    with app.app_context():
        portal.database.db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client without a session and without credentials."""
    return app.test_client()


Transaction = Callable[[], AbstractContextManager[Session]]


@pytest.fixture
def transaction(settings: Settings) -> Iterator[Transaction]:
    """`with transaction() as session:` as a door would say it, without any door or factory."""
    rows = Flask("rows")
    rows.config["SQLALCHEMY_DATABASE_URI"] = settings.sqlalchemy_url
    portal.database.db.init_app(rows)
    with rows.app_context():
        portal.database.prepare(portal.database.db.engine)

    @contextmanager
    def begin() -> Iterator[Session]:
        # Whoever plays several apps in one transaction does so as Ringback itself does.
        with of_all_apps(rows), portal.database.transaction() as session:
            yield session

    yield begin
    with rows.app_context():
        portal.database.db.engine.dispose()


@pytest.fixture
def keys(settings: Settings) -> portal_keys.Keys:
    """The keys in the test's home, the app's keys too."""
    return portal_keys.load(settings.home)


@pytest.fixture
def context_for(keys: portal_keys.Keys) -> Callable[..., Context]:
    """`context_for(session, caller)` is what a door hands to a service; without a caller, Ringback asks."""

    def make(session: Session, caller: Caller | None = None, profile=DEFAULT) -> Context:
        return Context(session, caller or Caller(ActorKind.SYSTEM), portal_clock.now(), keys, profile)

    return make


# --- Time --------------------------------------------------------------------------------------------------


@dataclass
class Clock:
    """Time as the test wants it: it stands still until it is told to go on."""

    at: int

    def now(self) -> int:
        """The present in Unix milliseconds."""
        return self.at

    def advance(self, seconds: float) -> int:
        """Goes on by so many seconds, and returns the new present."""
        self.at += round(seconds * portal_clock.SECOND)
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stops Ringback's clock at the present; only the test lets it go on."""
    stopped = Clock(at=portal_clock.now())
    monkeypatch.setattr(portal_clock, "now", stopped.now)
    return stopped
