"""Does a backup hold everything that counts, and does its copy wake nobody up? (DAT-04, DAT-05)"""

import os
import shutil
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from portal import keys
from portal.core.backup_file import BrokenBackup
from portal.models import Base, Message, Quarantine, User, Verification
from portal.revisions import needed
from portal.services import backups
from tests import factories, postgresql
from tests.cli.conftest import Operator
from tests.drivers import KiiClient
from tests.services.conftest import Desk
from tests.worker.conftest import put_down

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "ringback.backup"


@pytest.fixture
def elsewhere(operator, tmp_path, request) -> Callable[..., Operator]:
    """`elsewhere("sqlite")` is a machine with an empty database of that kind and a copy of keys.json."""
    made = []

    def make(kind: str, *, has_keys: bool = True) -> Operator:
        home = tmp_path / f"elsewhere{len(made)}"
        home.mkdir()
        url = ""
        if kind == "postgresql":
            server = request.getfixturevalue("postgresql_server")
            url = postgresql.create_database(server, f"copy_{len(made)}_{time.monotonic_ns()}")
        if has_keys:
            shutil.copy(Path(operator.environment["PORTAL_HOME"]) / "keys.json", home)
        roles = {"PORTAL_DATABASE_URL": postgresql.APP, "PORTAL_OWNER_DATABASE_URL": postgresql.OWNER}
        urls = {name: postgresql.as_role(url, role) for name, role in roles.items()}
        made.append(Operator({"PORTAL_HOME": str(home)} | urls))
        return made[-1]

    yield make
    from portal import database

    for typing in made:
        for installation in typing.installations:
            if "app" in installation.__dict__:
                with installation.app.app_context():
                    database.db.engine.dispose()


def everything(url: str) -> dict[str, list]:
    """Every row of every table that is backed up; a restored app gets another revision, and must."""
    engine = create_engine(url)
    found = {}
    with engine.connect() as connection:
        for each in backups.tables():
            columns = (column for column in each.c if column.name != "revision")
            rows = connection.execute(select(*columns).order_by(*each.primary_key))
            found[each.name] = [tuple(row) for row in rows]
    engine.dispose()
    return found


def url_of(typing: Operator) -> str:
    found = postgresql.as_role(typing.environment["PORTAL_DATABASE_URL"], postgresql.SUPERUSER)
    return found or f"sqlite:///{typing.environment['PORTAL_HOME']}/ringback.db"


def backed_up(operator: Operator, file: Path) -> None:
    answer = operator.types("backup", str(file))
    assert answer.exit_code == 0, answer.output
    assert "Its key is in keys.json in PORTAL_HOME." in answer.stdout


@pytest.mark.parametrize("is_same", [True, False], ids=["the same database", "the other database"])
def test_dat_04_a_copy_has_every_row_of_every_table(
    operator, elsewhere, file, session, shop, database, is_same
):
    a_row_of_each(session, shop.id)
    backed_up(operator, file)
    copy = elsewhere(database if is_same else OTHER[database])
    answer = copy.types("restore", str(file))
    assert answer.exit_code == 0, answer.output
    before, after = everything(url_of(operator)), everything(url_of(copy))
    assert after == before
    assert sum(map(len, after.values())) > 15
    assert copy.types("migrate").stdout == f"The database is up to date ({needed()}).\n"


def a_row_of_each(session, app_id: str) -> None:
    user = factories.user(session, app_id=app_id, phone_number="+819012345678", custom_fields={"a": ["ü", 1]})
    factories.message(session, state="sent", app_id=app_id, values={"app_name": "Kürz", "minutes": "10"})
    factories.verification(session, app_id=app_id, user_id=user.id, state="expired")
    factories.phone_number_limit(session, app_id=app_id, sent_times="1,2")
    factories.segment_price(session, app_id=app_id)
    factories.sms_template_draft(session, app_id=app_id)
    factories.audit_entry(session, app_id=app_id, details={"x": None})
    for attempt in session.scalars(select(Verification)):
        attempt.state, attempt.ended_at = "expired", 1_795_000_000_000
    factories.provider(session, app_id=app_id, sealed=b"\0\xff sealed", sealing_key_version=1)


def test_dat_05_new_rows_of_a_copy_are_numbered_after_the_old_ones(
    operator, elsewhere, file, session, shop, database
):
    last = factories.message(session, app_id=shop.id, state="sent").serial
    backed_up(operator, file)
    copy = elsewhere("postgresql")
    assert copy.types("restore", str(file)).exit_code == 0
    engine = create_engine(url_of(copy))
    with engine.begin() as connection:
        found = connection.scalar(text("SELECT nextval(pg_get_serial_sequence('message', 'serial'))"))
    engine.dispose()
    assert found == last + 1


def test_dat_05_a_restored_copy_sends_nothing_and_takes_no_old_code_token_or_session(
    operator, elsewhere, file, session, transaction, keys, database, shop
):
    """The drill: a hundred waiting messages and ten open codes, timed."""
    desk = Desk(transaction, keys)
    users = [desk.register(f"user{at}", f"+8190123456{at:02}") for at in range(10)]
    code = desk.code(users[0])
    factories.bearer_token(session, app_id=desk.app_id, user_id=users[0])
    factories.account_session(session)
    factories.worker_beat(session)
    put_down(session, shop.id, 90, first=100)
    backed_up(operator, file)

    copy = elsewhere(database)
    began = time.monotonic()
    answer = copy.types("restore", str(file))
    assert time.monotonic() - began < 30
    assert answer.exit_code == 0, answer.output
    assert "Ended 100 open codes and 100 waiting messages." in answer.stdout

    engine = create_engine(url_of(copy))
    with engine.connect() as connection:
        states = {tuple(row) for row in connection.execute(select(Message.state, Message.reason))}
        assert states == {("expired", "no_longer_needed")}
        assert set(connection.scalars(select(Verification.state))) == {"expired"}
        for name in sorted(backups.LEFT_OUT - {"quarantine", "database_timeline"}):
            assert connection.scalar(select(func.count()).select_from(Base.metadata.tables[name])) == 0, name
        assert connection.scalar(select(func.count()).select_from(Quarantine)) == 1
    engine.dispose()
    app = _app_of(copy)
    kii = KiiClient(app.test_client(), desk.app_id, "", "")
    answer = kii.ask("POST", f"/users/{users[0]}/phone-number/verify", {"verificationCode": code})
    assert answer.status_code == 401


def _app_of(typing: Operator):
    """The app of an installation, as its commands would have it."""
    typing.types("quarantine")
    return typing.installations[-1].app


def test_dat_05_a_quarantine_is_told_and_opened_and_then_messages_leave(
    operator, elsewhere, file, database, session, shop
):
    from portal.worker import Worker

    backed_up(operator, file)
    copy = elsewhere(database)
    assert copy.types("quarantine").exit_code == 1  # there are no tables yet
    copy.types("restore", str(file))
    told = copy.types("quarantine")
    assert told.exit_code == 1
    assert "In quarantine since " in told.stdout
    assert "ClientSecrets" in told.stdout

    app = _app_of(copy)
    kii = KiiClient(app.test_client(), shop.id, shop.client_id, shop.client_secret)
    kii.sign_up(phoneNumber="+819012345678")
    worker = Worker(app, timetable={})
    assert worker.empty_outbox() == 0
    assert copy.types("quarantine", "--open").stdout == "The quarantine is over: messages leave again.\n"
    assert worker.empty_outbox() == 1
    again = copy.types("quarantine")
    assert (again.exit_code, again.stdout) == (0, "There is no quarantine: messages leave.\n")


def test_dat_04_the_file_is_its_owners_alone_and_needs_its_key(
    operator, elsewhere, file, session, shop, database
):
    factories.user(session, app_id=shop.id, phone_number="+819012345678")
    backed_up(operator, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    for secret in (b"9012345678", shop.id.encode(), b"alice@example.com"):
        assert secret not in content
    stranger = elsewhere("sqlite", has_keys=False)
    answer = stranger.types("restore", str(file))
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: There is no keys.json in ")
    keys.load(Path(stranger.environment["PORTAL_HOME"]))
    answer = stranger.types("restore", str(file))
    assert answer.stderr.startswith("Error: Nothing was restored: The key is not this backup's")
    assert [path.name for path in (file.parent / "elsewhere0").iterdir()] == ["keys.json"]


def test_dat_04_a_key_of_the_operators_own_opens_it_on_any_machine(operator, elsewhere, file, shop):
    operator.environment["PORTAL_BACKUP_KEY"] = "correct horse battery staple of mine"
    answer = operator.types("backup", str(file))
    assert "Its key is in PORTAL_BACKUP_KEY." in answer.stdout
    copy = elsewhere("sqlite", has_keys=False)
    copy.environment["PORTAL_BACKUP_KEY"] = operator.environment["PORTAL_BACKUP_KEY"]
    assert copy.types("restore", str(file)).exit_code == 0


def test_a_file_that_is_there_is_never_replaced(operator, file):
    file.write_text("mine")
    answer = operator.types("backup", str(file))
    assert (answer.exit_code, file.read_text()) == (1, "mine")
    assert "is there already" in answer.stderr


def test_a_backup_that_fails_leaves_no_file_behind(operator, file, monkeypatch):
    from portal.cli import backup as command_module  # noqa: F401 - loaded before it is changed
    from portal.core import backup_file

    def fail(*_):
        raise BrokenBackup("the disk tells other bytes")
        yield

    monkeypatch.setattr(backup_file, "read", fail)
    answer = operator.types("backup", str(file))
    assert answer.exit_code == 1
    assert answer.stderr == "Error: No backup was made: the disk tells other bytes\n"
    assert not [path for path in file.parent.iterdir() if "backup" in path.name]
    answer = operator.types("backup", str(file.parent / "nowhere" / "x"))
    assert answer.exit_code == 1
    assert "No such file or directory" in answer.stderr


def test_dat_05_a_database_that_is_not_empty_is_left_alone(operator, file, session, shop):
    backed_up(operator, file)
    before = everything(url_of(operator))
    answer = operator.types("restore", str(file))
    assert answer.exit_code == 1
    assert "The database is not empty" in answer.stderr
    assert everything(url_of(operator)) == before
    assert session.scalar(select(Quarantine)) is None


def test_dat_04_a_damaged_file_restores_nothing(operator, elsewhere, file, session, shop, database):
    for at in range(200):
        factories.user(session, app_id=shop.id, login_name=f"user{at}{os.urandom(200).hex()}"[:64])
    backed_up(operator, file)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    copy = elsewhere(database)
    answer = copy.types("restore", str(file))
    assert answer.exit_code == 1
    assert "Nothing was restored" in answer.stderr
    file.write_bytes(content)
    assert copy.types("restore", str(file)).exit_code == 0


def test_dat_05_a_backup_of_an_unknown_schema_is_refused(operator, elsewhere, file, shop, monkeypatch):
    from portal import revisions

    with monkeypatch.context() as newer:
        newer.setattr(revisions, "needed", lambda: "9999")
        newer.setattr("portal.cli.schema.require", lambda _settings: None)
        operator.types("backup", str(file))
    answer = elsewhere("sqlite").types("restore", str(file))
    assert (answer.exit_code, "A newer Ringback made this backup" in answer.stderr) == (1, True)


@pytest.mark.slow
def test_dat_04_twenty_backups_under_load_are_whole_and_of_one_moment(
    operator, elsewhere, file, transaction, keys, database
):
    desk = Desk(transaction, keys)
    stopping = threading.Event()
    numbers = iter(range(10**6))

    def sign_up() -> None:
        while not stopping.is_set():
            at = next(numbers)
            desk.register(f"user{at}", f"+8190{20_000_000 + at}")

    crowd = [threading.Thread(target=sign_up) for _ in range(3)]
    for each in crowd:
        each.start()
    try:
        counts = []
        for at in range(20):
            backed_up(operator, file.with_name(f"{at}.backup"))
            counts.append(desk.do(lambda ctx: ctx.session.scalar(select(func.count()).select_from(User))))
    finally:
        stopping.set()
        for each in crowd:
            each.join()
    assert counts[-1] > counts[0] + 20
    for at in range(20):
        # Three into the same kind of database, the others, which are quicker to make, into files.
        assert_whole(elsewhere(database if at < 3 else "sqlite"), file.with_name(f"{at}.backup"))


def assert_whole(copy: Operator, file: Path) -> None:
    answer = copy.types("restore", str(file))
    assert answer.exit_code == 0, answer.output
    engine = create_engine(url_of(copy))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        # A sign-up puts its user, its verification, its message and its tally down together.
        count = {
            model.__tablename__: connection.scalar(select(func.count()).select_from(model))
            for model in (User, Verification, Message)
        }
        count["tallies"] = connection.scalar(text("SELECT count(*) FROM phone_number_limit"))
    engine.dispose()
    assert len(set(count.values())) == 1, count
