"""Is whoever is erased gone at once, and does no restored backup bring them back? (PII-05, DAT-05)"""

import contextlib
import json
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, delete, select, text

from portal import clock
from portal import database as database_floor
from portal.core.limits import BENCH
from portal.models import AuditEntry, Base, Erasure, Message, PhoneNumberLimit, User
from portal.own_work import of_all_apps
from portal.services import erasures
from portal.services.erasure_journal import FILE, Journal
from portal.watch.watchman import Watchman
from tests import factories
from tests.cli.test_backup import _app_of, backed_up, elsewhere, everything, file, url_of
from tests.drivers import KiiClient
from tests.services.conftest import Desk

__all__ = ["elsewhere", "file"]

NUMBER, OTHER, THIRD = "+819012345678", "+818087654321", "+819011112222"


@pytest.fixture
def desk(transaction, keys) -> Desk:
    """An app called Shop, with verification on."""
    return Desk(transaction, keys)


def receipt(operator, *words: str) -> dict:
    answer = operator.types("users", "erase", *words, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def dump(url: str) -> str:
    """Every row of every table, as text."""
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in names(connection)]
    engine.dispose()
    return repr(rows)


def names(connection) -> list[str]:
    from portal.models import Base

    return [table.name for table in Base.metadata.sorted_tables]


def journal_of(operator) -> Path:
    return Path(operator.environment["PORTAL_HOME"]) / FILE


def test_pii_05_an_erased_user_is_in_no_row_and_the_receipt_names_nobody(operator, desk, settings):
    dora = desk.verified("dora", NUMBER)
    desk.change(dora, OTHER)
    eve = desk.register("eve", THIRD)
    told = receipt(operator, desk.app_id, "--user", dora, "--reason", "She asked for it.")

    assert told["appID"] == desk.app_id
    assert told["removed"]["users"] == 1
    assert told["removed"]["messages"] >= 2
    assert told["removed"]["numberLimits"] == 2
    everywhere = dump(url_of(operator)) + json.dumps(told) + journal_of(operator).read_text()
    assert not [part for part in ("12345678", "87654321", "dora@", "'dora'") if part in everywhere]
    assert stat.S_IMODE(journal_of(operator).stat().st_mode) == 0o600
    assert desk.number(eve)[0] == THIRD
    again = operator.types("users", "erase", desk.app_id, "--user", dora)
    assert (again.exit_code, again.stderr) == (1, "Error: There is no such user.\n")


def write_out(settings) -> None:
    """Takes the log into the file, as SQLite does now and then."""
    with contextlib.closing(sqlite3.connect(settings.home / "ringback.db")) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


@pytest.mark.parametrize("database", ["sqlite"])
def test_pii_05_the_file_of_sqlite_holds_no_byte_of_who_was_erased(operator, desk, settings):
    dora = desk.verified("dora-the-first", NUMBER)
    write_out(settings)
    assert b"12345678" in (settings.home / "ringback.db").read_bytes()
    receipt(operator, desk.app_id, "--user", dora)
    write_out(settings)

    for path in settings.home.iterdir():
        if path.is_file():
            content = path.read_bytes()
            assert not [part for part in (b"12345678", b"dora-the-first") if part in content], path


def test_pii_05_an_erased_number_takes_who_proved_it_and_is_taken_from_who_claims_it(
    operator, transaction, keys
):
    desk = Desk(transaction, keys, BENCH)
    dora, eve = desk.verified("dora", NUMBER), desk.register("eve", NUMBER)
    fay = desk.verified("fay", OTHER)
    desk.change(fay, NUMBER)
    desk.set(number_taken="move")
    told = receipt(operator, desk.app_id, "--phone-number", NUMBER)

    assert told["removed"]["users"] == 1
    assert told["removed"]["claims"] == 2
    assert desk.rows(select(User.id).order_by(User.login_name)) == [eve, fay]
    assert desk.number(eve) == (None, False, None)
    assert desk.number(fay) == (OTHER, True, None)
    assert "12345678" not in dump(url_of(operator))
    assert dora not in [user.id for user in desk.rows(select(User))]


def test_pii_05_the_same_number_in_another_app_stays(operator, desk, transaction, keys):
    other = Desk(transaction, keys)
    desk.verified("dora", NUMBER)
    theirs = other.verified("dora", NUMBER)
    receipt(operator, desk.app_id, "--phone-number", NUMBER)

    assert other.number(theirs) == (NUMBER, True, None)


def test_pii_05_a_number_that_nobody_has_is_on_record_all_the_same(operator, desk):
    told = receipt(operator, desk.app_id, "--phone-number", NUMBER)

    assert told["removed"] == {}
    [listed] = operator.types("erasures", "list", "--json").stdout.splitlines()
    assert json.loads(listed)["id"] == told["erasureID"]
    assert "number" in operator.types("erasures", "list").stdout


@pytest.mark.parametrize("words", [[], ["--user", "x", "--phone-number", NUMBER]])
def test_pii_05_either_a_user_or_a_number_is_named(operator, desk, words):
    assert operator.types("users", "erase", desk.app_id, *words).exit_code == 2


def test_pii_02_a_number_that_cannot_be_read_is_not_repeated(operator, desk):
    answer = operator.types("users", "erase", desk.app_id, "--phone-number", "09077778888")

    assert answer.exit_code == 1
    assert "7777" not in answer.output


def test_abu_07_who_deletes_themselves_is_sent_no_more_codes_for_that(desk):
    from portal.services import users

    dora = desk.register("dora", NUMBER)
    desk.do(lambda ctx: users.delete(ctx, dora), desk.as_user(dora))

    [limit] = desk.rows(select(PhoneNumberLimit))
    assert limit.sent_times
    [erasure] = desk.rows(select(Erasure))
    assert (erasure.user_id, len(erasure.number_hashes)) == (dora, 1)
    assert NUMBER not in repr(desk.rows(select(Erasure.number_hashes)))


def test_pii_05_a_stored_answer_goes_with_its_user(app, session, desk):
    kii = KiiClient(app.test_client(), desk.app_id)
    headers = {"X-Kii-AppID": desk.app_id, "X-Kii-AppKey": "any", "Idempotency-Key": "a" * 20}
    sent = {"loginName": "dora", "password": "pass1234", "phoneNumber": NUMBER}
    kind = "application/vnd.kii.RegistrationRequest+json"
    answer = kii.ask("POST", "/users", sent, type=kind, headers=headers)
    assert answer.status_code == 201
    told = desk.do(lambda ctx: erasures.erase_user(ctx, answer.json["userID"]))

    assert told.removed["answers"] == 1


def test_pii_05_each_machine_takes_over_what_others_erased(desk, transaction, tmp_path):
    here, there = Journal(tmp_path), Journal(tmp_path)
    dora = desk.register("dora", NUMBER)
    desk.do(lambda ctx: erasures.erase_user(ctx, dora))
    with transaction() as session:
        assert here.catch_up(session.connection()) == 1
        assert there.catch_up(session.connection()) == 0
    eve = desk.register("eve", OTHER)
    desk.do(lambda ctx: erasures.erase_user(ctx, eve))
    with transaction() as session:
        assert there.catch_up(session.connection()) == 1
        assert here.catch_up(session.connection()) == 0
    assert len((tmp_path / FILE).read_text().splitlines()) == 2


def test_pii_05_what_a_database_lost_is_erased_again_though_the_first_try_fails(
    app, desk, session, monkeypatch
):
    dora = desk.register("dora", NUMBER)
    desk.do(lambda ctx: erasures.erase_user(ctx, dora))
    Watchman(app).keep_journal()
    # The database goes back to before the erasure, and the process starts anew.
    session.execute(delete(Erasure))
    factories.user(session, app_id=desk.app_id, id=dora, login_name="dora")
    session.commit()
    restarted = Watchman(app)
    with monkeypatch.context() as broken:
        broken.setattr(erasures, "replay", lambda *_args, **_more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            restarted.keep_journal()
    restarted.keep_journal()
    assert desk.rows(select(User)) == []


def assert_secret_is_refused(kii: KiiClient, client_id: str, secret: str) -> None:
    refused = kii.call("POST", "/oauth2/token", {"client_id": client_id, "client_secret": secret})
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")


def test_dat_05_the_drill_revoked_erased_and_used_things_do_not_come_back(
    operator, elsewhere, file, desk, database
):
    """Revoke a key, erase a user, use a code; restore: 0 SMS, the code fails, key 401, user absent."""
    from portal.services import access_keys, apps, tokens
    from portal.worker import Worker

    old_secret = desk.client_secret
    client_id = desk.rows(select(apps.App.client_id))[0]
    dora, eve = desk.verified("dora", NUMBER), desk.register("eve", OTHER)
    fay = desk.verified("fay", THIRD)
    code = desk.code(eve)
    token = desk.do(lambda ctx: tokens.issue_to_user(ctx, eve)).token
    backed_up(operator, file)
    desk.do(lambda ctx: access_keys.reset_secret(ctx))
    receipt(operator, desk.app_id, "--user", dora)
    receipt(operator, desk.app_id, "--phone-number", THIRD)
    desk.confirm(eve, code)

    copy = elsewhere(database)
    shutil.copy(journal_of(operator), copy.environment["PORTAL_HOME"])
    answer = copy.types("restore", str(file))
    assert answer.exit_code == 0, answer.output
    assert "Erased once more what was erased after the backup: 3 of 3." in answer.stdout
    held = everything(url_of(copy))
    assert [row for row in held["user"] if dora in row or fay in row] == []
    assert not [part for part in ("12345678", "11112222") if part in repr(held)]
    app = _app_of(copy)
    assert Worker(app, timetable={}).empty_outbox() == 0
    kii = KiiClient(app.test_client(), desk.app_id, client_id, old_secret)
    assert_secret_is_refused(kii, client_id, old_secret)
    sent = {"verificationCode": code}
    verify = f"/users/{eve}/phone-number/verify"
    assert kii.holding(token).ask("POST", verify, sent).json["errorCode"] == "WRONG_TOKEN"
    with of_all_apps(app), database_floor.transaction() as session:
        ctx = app.extensions["ringback"].context(session, desk.as_user(eve))
        new = tokens.issue_to_user(ctx, eve).token
    assert kii.holding(new).ask("POST", verify, sent).status_code == 410
    assert "ClientSecrets" in copy.types("quarantine").stdout
    assert len(copy.types("erasures", "list", "--json").stdout.splitlines()) == 3


@pytest.mark.parametrize("place", ["--erasures", "--old-database"])
def test_dat_05_erasures_come_from_another_machine_or_from_the_old_database(
    operator, elsewhere, file, desk, database, place
):
    dora = desk.verified("dora", NUMBER)
    backed_up(operator, file)
    receipt(operator, desk.app_id, "--user", dora)
    told = file.with_suffix(".jsonl")
    told.write_text(operator.types("erasures", "list", "--json").stdout)
    old = url_of(operator).removeprefix("sqlite:///")
    copy = elsewhere(database)
    answer = copy.types("restore", str(file), place, str(told) if place == "--erasures" else old)

    assert answer.exit_code == 0, answer.output
    assert "after the backup: 1 of 1." in answer.stdout
    assert "12345678" not in dump(url_of(copy))


def test_dat_05_what_is_no_journal_restores_nothing(operator, elsewhere, file, desk):
    backed_up(operator, file)
    told = file.with_suffix(".jsonl")
    told.write_text("+819012345678\n")
    answer = elsewhere("sqlite").types("restore", str(file), "--erasures", str(told))

    assert answer.exit_code == 1
    assert "12345678" not in answer.output
    missing = elsewhere("sqlite").types("restore", str(file), "--old-database", str(told) + ".db")
    assert (missing.exit_code, "Nothing was restored." in missing.stderr) == (1, True)


def test_dat_05_who_came_to_a_number_after_its_erasure_is_somebody_else(desk, transaction, keys):
    told = desk.do(lambda ctx: erasures.erase_number(ctx, NUMBER))
    dora = desk.verified("dora", NUMBER)
    with transaction() as session:
        connection = session.connection()
        [erased] = erasures.found(connection)
        connection.execute(Erasure.__table__.delete())
        assert erasures.replay(connection, [erased], keys) == [erased]
    assert erased.id == told.id
    assert clock.now() >= erased.erased_at
    assert desk.number(dora) == (NUMBER, True, None)


def test_pii_05_the_audit_keeps_the_deed_and_neither_reason_nor_number(session, desk):
    dora = desk.register("dora", NUMBER)
    factories.audit_entry(
        session, app_id=desk.app_id, user_id=dora, reason="Dora called", details={"phone_number": "5678"}
    )
    desk.do(lambda ctx: erasures.erase_user(ctx, dora))

    found = desk.rows(select(AuditEntry).where(AuditEntry.user_id == dora).order_by(AuditEntry.id))
    assert [(entry.reason, entry.details) for entry in found[:-1]] == [(None, {})] * 2
    assert found[-1].action == "user.erased"
    assert desk.rows(select(Message)) == []


def test_pii_06_after_a_rotation_a_backup_brings_no_erased_number_back_and_old_keys_are_not_enough(
    operator, elsewhere, file, desk, database
):
    """One number is erased before the rotation and one after it; both stand in the backup."""
    home = Path(operator.environment["PORTAL_HOME"])
    desk.verified("dora", NUMBER)
    desk.verified("fay", THIRD)
    backed_up(operator, file)
    old_keys = (home / "keys.json").read_bytes()
    receipt(operator, desk.app_id, "--phone-number", NUMBER)
    assert operator.types("keys", "rotate", "hashing").exit_code == 0
    receipt(operator, desk.app_id, "--phone-number", THIRD)
    assert "still needed by erased numbers" in operator.types("keys", "retire", "hashing").stdout

    copy = elsewhere(database)
    there = Path(copy.environment["PORTAL_HOME"])
    shutil.copy(journal_of(operator), there)
    (there / "keys.json").write_bytes(old_keys)
    refused = copy.types("restore", str(file))
    assert refused.exit_code == 1
    assert "lacks hashing key 2" in refused.stderr
    assert "Nothing was restored." in refused.stderr

    shutil.copy(home / "keys.json", there)
    answer = copy.types("restore", str(file))
    assert answer.exit_code == 0, answer.output
    assert not [part for part in ("12345678", "11112222") if part in repr(everything(url_of(copy)))]


def test_pii_05_who_deletes_themselves_leaves_their_number_nowhere_though_limits_go_on(desk, transaction):
    """A DELETE over REST keeps what the number was sent for a day, and since PII-06 without the number."""
    from portal.services import users

    dora = desk.register("dora", NUMBER)
    desk.do(lambda ctx: users.delete(ctx, dora), desk.as_user(dora))

    assert desk.rows(select(PhoneNumberLimit.sent_times)) != [""]
    with transaction() as session:
        held = [
            tuple(row) for each in Base.metadata.sorted_tables for row in session.execute(select(each)).all()
        ]
    assert "12345678" not in repr(held)
