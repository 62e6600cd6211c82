"""An upgrade takes honest old erasures for what they are, and nobody makes up another afterwards (PII-07)."""

import os
from contextlib import contextmanager, nullcontext

import pytest
from sqlalchemy import MetaData, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import portal.database
from portal.cli import restore
from portal.clock import DAY
from portal.config import Settings
from portal.core import audit_seals
from portal.core.audit_seals import FIRST_FORM, NOTHING_KEPT, Restart
from portal.core.erasures import Erased
from portal.models import INSTALLATION, AuditAction, AuditEntry, ErasureKind
from portal.services import (
    audit,
    audit_chains,
    audit_checks,
    audit_entries,
    audit_heads,
    audit_restarts,
    audit_sealing,
    audit_walks,
    backups,
    erasures,
)
from portal.services.audit_reports import Report
from tests import factories, postgresql
from tests.conftest import migrate
from tests.services.conftest import Desk
from tests.services.test_emptied_entries import FORGE_SEAL, SYSTEM, seal

# What a Ringback of before marks says where it erases somebody.
EMPTY = "UPDATE audit_entry SET reason = NULL, details = '{}' WHERE app_id = :app AND user_id = :user"
ERASED = """INSERT INTO erasure (id, app_id, kind, user_id, number_hashes, erased_at)
    VALUES (:id, :app, 'user', :user, '[]', :at)"""
SAID = select(AuditEntry.details).where(AuditEntry.action == AuditAction.ERASURES_MARKED)


@pytest.fixture
def engine(empty_url):
    """The database of an installation of its own, whose schema goes up and down."""
    migrate(empty_url)
    engine = create_engine(empty_url)
    portal.database.prepare(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine, keys, clock) -> Desk:
    """A shop in which entries tell of alice and of bob; all are sealed."""

    @contextmanager
    def transaction():
        with Session(engine, expire_on_commit=False) as session, session.begin():
            session.connection(execution_options={"ringback_write": True})
            yield session

    made = Desk(transaction, keys, clock=clock)
    for user in ("alice", "bob"):
        for at in range(2):
            made.do(
                lambda ctx, user=user, at=at: audit.record(
                    ctx, AuditAction.CODE_RESENT, user, {"n": at}, "Asked."
                ),
                made.as_admin(),
            )
    # It tells nothing beside the deed from the start, as many do.
    made.do(lambda ctx: audit.record(ctx, AuditAction.CODE_RESENT, "bob"))
    seal(made)
    clock.advance(1)
    return made


@pytest.fixture
def say(desk, engine):
    """`say("UPDATE ... :app")` is whoever writes to the database, past its triggers if need be."""

    past = factories.past_audit_guard

    def run(statement: str, *, past_guard: bool = False, **values: object) -> None:
        with engine.begin() as connection, past(connection) if past_guard else nullcontext():
            assert connection.execute(text(statement), {"app": desk.app_id} | values).rowcount

    return run


@pytest.fixture
def erase_unmarked(say, clock):
    """`erase_unmarked("alice")` is what an earlier Ringback does, or whoever makes it up."""

    def run(user: str, *, past_guard: bool = False) -> None:
        say(EMPTY, user=user, past_guard=past_guard)
        say(ERASED, id=f"{user:0>32}", user=user, at=clock.now())

    return run


@pytest.fixture
def upgrade(empty_url, settings):
    """`upgrade()` is the way up to the newest schema, with the installation's keys at hand."""
    return lambda: migrate(empty_url, home=settings.home)


@pytest.fixture
def old(desk, empty_url) -> None:
    """The schema of before marks, as if this version had never been there."""
    migrate(empty_url, "0013", down=True)


@pytest.fixture
def check(desk, clock):
    def run(chain_id: str = "") -> Report:
        with desk.transaction() as session:
            return audit_checks.check(session, desk.keys.audit, chain_id or desk.app_id, clock.now())

    return run


# --- Honest upgrades -------------------------------------------------------------------------------------


def test_pii_07_what_an_earlier_version_erased_is_no_fault_after_the_upgrade(
    desk, old, erase_unmarked, upgrade, check
):
    erase_unmarked("alice")
    upgrade()
    assert check().faults == []
    # Only what had told something has a mark, and the log says of how many entries that was.
    marked = select(AuditEntry.user_id).where(AuditEntry.emptied.is_not(None))
    assert desk.rows(marked) == ["alice", "alice"]
    seal(desk)
    assert desk.rows(SAID) == [{"found_empty": 2}]
    assert check(INSTALLATION).faults == []


def test_pii_07_nor_is_what_this_version_erases_later(desk, engine, old, erase_unmarked, upgrade, check):
    erase_unmarked("alice")
    upgrade()
    with Session(engine) as session, session.begin():
        carol = factories.user(session, app_id=desk.app_id).id
    desk.do(lambda ctx: audit.record(ctx, AuditAction.CODE_RESENT, carol, {"n": 1}, "Asked."))
    seal(desk)
    desk.do(lambda ctx: erasures.erase_user(ctx, carol))
    seal(desk)
    assert check().faults == []


def test_pii_07_a_chain_that_an_earlier_version_began_anew_holds_after_the_upgrade(
    desk, empty_url, say, erase_unmarked, upgrade, check, clock
):
    say(FORGE_SEAL)
    with desk.transaction() as session:
        damage = audit_restarts.look(session, desk.keys.audit, desk.app_id, clock.now())
    clock.advance(1)
    desk.do(lambda ctx: audit_restarts.begin_anew(ctx, damage, "A script did it."), desk.as_admin())
    desk.do(lambda ctx: hash_in_first_form(ctx, desk.app_id))
    migrate(empty_url, "0013", down=True)
    erase_unmarked("alice")
    upgrade()
    assert check().faults == []
    say(EMPTY, user="bob", past_guard=True)
    assert check().faults == ["the entries of before the restart are not as they were found then"]


def hash_in_first_form(ctx, app_id: str) -> None:
    """What earlier Ringbacks kept of the entries before a restart."""
    chain = audit_chains.find(ctx.session, app_id)
    rows = ctx.session.execute(audit_walks.entries_of(app_id))
    hashes = [
        audit_entries.kept_of(ctx.keys.audit, app_id, row, FIRST_FORM)
        for row in rows
        if row.sequence < chain.restart.sequence
    ]
    kept = audit_seals.with_kept(NOTHING_KEPT, hashes)
    former = Restart(chain.restart.sequence, chain.restart.at, kept, FIRST_FORM)
    assert audit_chains.move(ctx, chain, restart=former)


def test_pii_07_an_older_process_that_still_runs_cannot_erase_without_a_mark(
    old, erase_unmarked, upgrade, check
):
    upgrade()
    with pytest.raises(DBAPIError, match="stay as they are"):
        erase_unmarked("alice")
    assert check().faults == []


def test_pii_07_the_database_lets_nobody_take_a_mark_away_either(desk, old, erase_unmarked, upgrade, say):
    erase_unmarked("alice")
    upgrade()
    with pytest.raises(DBAPIError, match="stay as they are"):
        say("UPDATE audit_entry SET emptied = NULL WHERE app_id = :app AND user_id = 'alice'")


@pytest.mark.parametrize("value", ["x'00'", "CAST(x'ff' AS TEXT)"])
def test_pii_07_a_row_that_cannot_be_read_keeps_nobody_from_an_upgrade(
    engine, empty_url, erase_unmarked, upgrade, say, check, value
):
    if engine.dialect.name == "postgresql":
        value = "'odd'"
    odd = f"UPDATE audit_entry SET action = {value} WHERE app_id = :app AND user_id = 'bob' AND reason = :it"
    say(odd, it="Asked.", past_guard=True)
    migrate(empty_url, "0013", down=True)
    erase_unmarked("bob")
    erase_unmarked("alice")
    upgrade()
    faults = check().faults
    assert faults
    assert not any("emptied" in each for each in faults)


@pytest.mark.parametrize("older", ["0013", "0014", "0015"])
# What SQLAlchemy does not reflect is an index, which no backup holds.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_pii_07_whoever_is_erased_once_more_in_the_restored_copy_of_an_older_version_is_no_fault(
    desk, empty_url, settings, request, database, tmp_path, monkeypatch, clock, older
):
    migrate(empty_url, older, down=True)
    lines = backed_up(empty_url, older, monkeypatch)
    url = f"sqlite:///{tmp_path / 'copy.db'}"
    if database == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        url = postgresql.create_database(server, f"copy_{tmp_path.name}_{os.getpid()}"[:63])
    copy = Settings(home=settings.home, database_url=url)
    clock.advance(60)
    told = Erased("f" * 32, desk.app_id, ErasureKind.USER, "alice", (), clock.now())
    restore._restore(copy, iter(lines), [told])
    engine = create_engine(url)
    with Session(engine) as session:
        report = audit_checks.check(session, desk.keys.audit, desk.app_id, clock.now())
        emptied = select(AuditEntry.id).where(AuditEntry.user_id == "alice", AuditEntry.reason.is_(None))
        assert len(session.scalars(emptied).all()) == 2
    engine.dispose()
    assert report.faults == []


def backed_up(url: str, older: str, monkeypatch) -> list[bytes]:
    """The backup that an older Ringback makes."""
    engine, known = create_engine(url), MetaData()
    with engine.connect() as connection:
        known.reflect(connection)
        kept = [known.tables[each.name] for each in backups.tables()]
        with monkeypatch.context() as patch:
            patch.setattr(backups, "tables", lambda: kept)
            lines = list(backups.write(connection, older, 1))
    engine.dispose()
    return lines


# --- Attackers -------------------------------------------------------------------------------------------


def test_pii_07_in_a_new_installation_a_made_up_erasure_is_no_leave_to_empty_entries(erase_unmarked, check):
    erase_unmarked("alice", past_guard=True)
    assert ["was emptied, and not by an erasure" in each for each in check().faults] == [True, True]


def test_pii_07_nor_is_it_after_an_upgrade_in_entries_of_before(old, erase_unmarked, upgrade, check):
    erase_unmarked("alice")
    upgrade()
    erase_unmarked("bob", past_guard=True)
    assert ["was emptied, and not by an erasure" in each for each in check().faults] == [True, True]


def test_pii_07_whoever_takes_the_schema_back_has_nothing_marked_by_the_next_upgrade(
    desk, empty_url, erase_unmarked, upgrade, check
):
    """The operator of a new installation is told to migrate, and does; a worker had told the heads once."""
    desk.do(audit_heads.tell, SYSTEM)
    seal(desk)
    migrate(empty_url, "0013", down=True)
    erase_unmarked("alice")
    upgrade()
    assert ["was emptied, and not by an erasure" in each for each in check().faults] == [True, True]


@pytest.mark.parametrize(
    "how",
    [
        "DELETE FROM audit_entry WHERE action = 'erasures.marked'",
        "UPDATE audit_entry SET action = 'code.reset' WHERE action = 'erasures.marked'",
    ],
)
def test_pii_07_and_whoever_takes_away_what_the_log_says_of_it_is_found(
    desk, empty_url, say, erase_unmarked, upgrade, check, how
):
    desk.do(audit_heads.tell, SYSTEM)
    seal(desk)
    say(how + " AND :app = :app", past_guard=True)
    migrate(empty_url, "0013", down=True)
    erase_unmarked("alice")
    upgrade()
    # The damage is known; and how many entries were marked then is on record, too.
    assert check(INSTALLATION).faults
    seal(desk)
    assert {"found_empty": 2} in desk.rows(SAID)


def test_pii_07_the_log_says_it_once_and_again_when_what_said_it_has_gone_for_its_age(desk, clock):
    for _ in range(2):
        desk.do(audit_heads.tell, SYSTEM)
    assert desk.rows(SAID) == [{}]
    seal(desk)
    clock.advance(366 * DAY / 1000)
    desk.do(lambda ctx: audit_sealing.remove(ctx, ctx.now - 365 * DAY), SYSTEM)
    assert desk.rows(SAID) == []
    desk.do(audit_heads.tell, SYSTEM)
    assert desk.rows(SAID) == [{}]
