"""What does an operator see of the chains, and what does a script get? `portal audit` (PII-07)."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from portal import keys as portal_keys
from portal.models import ActorKind, App, AuditAction
from portal.services import audit, audit_sealing
from portal.services.context import Caller
from tests import factories


@pytest.fixture
def shop(session) -> App:
    """A shop whose log is empty."""
    return factories.app(session)


@pytest.fixture
def write(transaction, context_for, shop):
    """`write(3)` leaves so many entries in the shop's log, and seals them unless told not to."""

    def run(count: int, *, is_sealed: bool = True, app_id: str = "") -> None:
        with transaction() as session:
            ctx = context_for(session, Caller(ActorKind.ADMIN, app_id or shop.id))
            for _ in range(count):
                audit.record(ctx, AuditAction.APP_CHANGED, details={"name": ["A", "B"]})
        with transaction() as session:
            if is_sealed:
                audit_sealing.seal(context_for(session))

    return run


@pytest.fixture
def tamper(engine):
    """An attacker who may do anything to the database."""

    def run(statement: str) -> None:
        with engine.connect() as connection, factories.past_audit_guard(connection):
            connection.execute(text(statement))

    return run


def test_pii_07_without_the_key_nothing_is_called_false_and_no_key_is_made(operator, shop, write):
    write(1)
    home = Path(operator.environment["PORTAL_HOME"])
    (home / portal_keys.FILE).unlink(missing_ok=True)
    answer = operator.types("audit", "verify", shop.id)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: There is no keys.json in {home}")
    assert not (home / portal_keys.FILE).exists()


def test_pii_07_a_log_that_holds_ends_with_0(operator, shop, write):
    write(5)
    answer = operator.types("audit", "verify", shop.id)
    assert (answer.exit_code, answer.stdout) == (0, f"{shop.id}  ok  5 entries hold\n")


def test_pii_07_without_an_app_every_chain_is_looked_at(operator, session, shop, write):
    other = factories.app(session).id
    write(5)
    write(2, app_id=other)
    answer = operator.types("audit", "verify")
    assert answer.exit_code == 0
    assert f"{other}  ok  2 entries hold" in answer.stdout
    assert "installation  ok" in answer.stdout


def test_pii_07_an_entry_that_was_tampered_with_is_named_and_ends_with_3(operator, shop, write, tamper):
    write(5)
    tamper("UPDATE audit_entry SET at = at + 1 WHERE sequence = 3")
    answer = operator.types("audit", "verify")
    assert answer.exit_code == 3
    assert f"{shop.id}  TAMPERED WITH  4 entries hold" in answer.stdout
    assert "  entry 3 (id" in answer.stdout


def test_pii_07_what_is_not_sealed_for_a_minute_ends_with_4(operator, write, clock):
    write(2, is_sealed=False)
    assert operator.types("audit", "verify").exit_code == 0
    clock.advance(61)
    answer = operator.types("audit", "verify")
    assert answer.exit_code == 4
    assert "  not sealed yet: 2" in answer.stdout


def test_pii_07_the_head_that_was_kept_outside_shows_that_the_newest_are_gone(
    operator, shop, write, tamper, tmp_path, transaction, context_for
):
    write(3)
    heads = tmp_path / "heads.json"
    heads.write_text(operator.types("audit", "head", "--json").stdout)
    assert [each["sequence"] for each in json.loads(heads.read_text()) if each["app"] == shop.id] == [3]
    assert operator.types("audit", "verify", "--head", str(heads)).exit_code == 0

    # Whoever has the key too can begin the chain anew; the head outside still says otherwise.
    tamper("DELETE FROM audit_entry")
    tamper("DELETE FROM audit_chain")
    write(1)
    assert operator.types("audit", "verify").exit_code == 0
    answer = operator.types("audit", "verify", shop.id, "--head", str(heads))
    assert answer.exit_code == 3
    assert "entries 2 to 3 are missing, which the head outside tells of" in answer.stdout


def test_pii_07_the_log_of_a_worker_is_a_head_too(operator, shop, write, settings, tmp_path):
    write(3)
    [found] = [e for e in json.loads(operator.types("audit", "head", "--json").stdout) if e["app"] == shop.id]
    log = tmp_path / "log"
    lines = ["no JSON", json.dumps({"event": "beat"}), json.dumps({"event": "audit_head"} | found)]
    log.write_text("\n".join(lines))
    assert operator.types("audit", "verify", shop.id, "--head", str(log)).exit_code == 0
    log.write_text(log.read_text().replace(found["hash"], "0" * 64))
    assert operator.types("audit", "verify", shop.id, "--head", str(log)).exit_code == 3


@pytest.mark.parametrize("content", ["", "nothing", "[1]", '[{"app": "a"}]', '{"event": "audit_head"}'])
def test_pii_07_a_file_without_heads_is_refused(operator, shop, write, tmp_path, content):
    (tmp_path / "heads").write_text(content)
    answer = operator.types("audit", "verify", "--head", str(tmp_path / "heads"))
    assert (answer.exit_code, answer.stdout) == (1, "")


def test_an_app_that_is_not_there_is_refused(operator):
    answer = operator.types("audit", "verify", "0123456789abcdef")
    assert (answer.exit_code, "There is no app" in answer.stderr) == (1, True)


def test_heads_for_people_are_lines(operator, shop, write):
    write(1)
    line = operator.types("audit", "head").stdout
    assert line.startswith(f"{shop.id}  1  ")


def test_pii_07_the_doctor_says_when_nobody_seals(operator, write, clock):
    write(1, is_sealed=False)
    clock.advance(61)
    assert "1 entries wait to be sealed" in operator.types("doctor").stdout


def test_pii_07_a_rotation_of_the_sealing_key_is_on_record(operator, session):
    assert operator.types("keys", "rotate", "sealing").exit_code == 0
    assert operator.types("keys", "retire", "sealing").exit_code == 0
    told = session.execute(
        text("SELECT action, actor_kind FROM audit_entry WHERE action LIKE 'sealing%' ORDER BY id")
    ).all()
    assert [tuple(each) for each in told] == [
        ("sealing_key.added", "operator"),
        ("sealing_key.used", "operator"),
        ("sealing_keys.removed", "operator"),
    ]


# --- Beginning anew --------------------------------------------------------------------------------------


@pytest.fixture
def broken(shop, write, tamper) -> App:
    """A shop whose chain is left alone by the job that seals."""
    write(5)
    tamper("UPDATE audit_chain SET head_sequence = 9")
    return shop


WHY = ("--reason", "A script edited the table.")


def test_pii_07_a_broken_chain_is_begun_anew_and_verify_names_that_from_then_on(operator, broken, write):
    assert operator.types("audit", "verify", broken.id).exit_code == 3
    answer = operator.types("audit", "restart", broken.id, *WHY)
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout.startswith(f"{broken.id}  begun anew by entry 10. ")
    write(1)
    answer = operator.types("audit", "verify", broken.id)
    assert answer.exit_code == 5
    lines = answer.stdout.splitlines()
    assert lines[0] == f"{broken.id}  begun anew  7 entries hold"
    assert "  entry 10 began the chain anew on 20" in lines[1]
    assert lines[1].endswith(" UTC: A script edited the table.")
    assert "because of what was before it: the row that says where the chain begins" in lines[2]
    assert lines[3] == "  before the chain was begun anew: entries 6 to 9 are missing"


def test_pii_07_a_head_of_before_the_restart_is_answered_in_words(operator, broken, write, tmp_path):
    heads = tmp_path / "heads.json"
    told = [{"app": broken.id, "sequence": 5, "hash": "0" * 64, "sealedAt": 1}]
    heads.write_text(json.dumps(told))
    assert operator.types("audit", "restart", broken.id, *WHY).exit_code == 0
    answer = operator.types("audit", "verify", broken.id, "--head", str(heads))
    assert answer.exit_code == 5
    assert (
        "anew: entry 5 is not the one that the head outside of before the restart tells of" in answer.stdout
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (WHY, "Name one app, or --installation."),
        (("{app}", "--installation", *WHY), "Name one app, or --installation."),
        (("{app}",), "Missing option '--reason'"),
        (("{app}", "--reason", "x"), "Write why, in at least 3 characters."),
        (("{app}", "--reason", "Call +81 90 1234 5678"), "without phone numbers"),
        (("0123456789abcdef", *WHY), "There is no app 0123456789abcdef."),
        (("--installation", *WHY), "The chain of installation holds: there is nothing to begin anew."),
    ],
)
def test_pii_07_a_restart_that_says_too_little_is_refused_and_does_nothing(operator, broken, words, says):
    answer = operator.types("audit", "restart", *(word.format(app=broken.id) for word in words))
    assert answer.exit_code in (1, 2)
    assert says in answer.stderr
    assert operator.types("audit", "verify", broken.id).exit_code == 3


def test_pii_07_two_operators_in_processes_of_their_own_begin_a_chain_anew_once(operator, broken, write):
    started = [operator.starts("audit", "restart", broken.id, *WHY) for _ in range(4)]
    said = [process.communicate(timeout=60) for process in started]
    codes = sorted(process.returncode for process in started)
    assert codes == [0, 1, 1, 1], said
    write(1)
    told = operator.types("audit", "verify", broken.id).stdout
    assert told.count("began the chain anew") == 1


# --- Rows that nobody can read ---------------------------------------------------------------------------

DEEP = "[" * 3_000 + "]" * 3_000


@pytest.mark.parametrize("damage", [f"details = '{DEEP}'", "reason = CAST(x'ff' AS TEXT), details = '7'"])
def test_pii_07_a_row_that_ringback_never_writes_is_answered_in_words(
    operator, session, engine, shop, write, tamper, damage
):
    """On PostgreSQL the second one can be read: it is one more entry that was changed."""
    other = factories.app(session).id
    write(5)
    write(2, app_id=other)
    tamper(f"UPDATE audit_entry SET {damage} WHERE app_id = '{shop.id}' AND sequence = 3")
    answer = operator.types("audit", "verify")
    assert (answer.exit_code, answer.stderr) == (3, "")
    assert f"{other}  ok  2 entries hold" in answer.stdout
    assert f"{shop.id}  TAMPERED WITH" in answer.stdout
    is_readable = engine.dialect.name == "postgresql" and DEEP not in damage
    named = next(line for line in answer.stdout.splitlines() if "entry 3 (id" in line)
    never = "holds what Ringback never writes, so it cannot be read"
    assert never in named or (is_readable and "was changed" in named)
    # The others of its chain are looked at all the same.
    assert f"{shop.id}  TAMPERED WITH  4 entries hold" in answer.stdout

    answer = operator.types("audit", "restart", shop.id, *WHY)
    if is_readable:
        assert answer.exit_code == 0
        return
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Error: A row of the chain holds what Ringback never writes")
    tamper(
        f"UPDATE audit_entry SET details = '{{}}', reason = '' WHERE app_id = '{shop.id}' AND sequence = 3"
    )
    assert operator.types("audit", "restart", shop.id, *WHY).exit_code == 0


def test_pii_07_a_forged_restart_that_nobody_can_read_is_answered_in_words(operator, shop, write, tamper):
    write(2)
    forged = f"""INSERT INTO audit_entry (app_id, at, actor_kind, action, details)
        VALUES ('{shop.id}', 1, 'system', 'audit_chain.restarted', '{DEEP}')"""
    tamper(forged)
    assert operator.types("audit", "verify", shop.id).exit_code == 3
    answer = operator.types("audit", "restart", shop.id, *WHY)
    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: A row of the chain holds what Ringback never writes")
