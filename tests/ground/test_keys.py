"""A server's keys are made once, are the same for all its processes, and are readable by nobody else."""

import hmac
import json
import subprocess
import sys
from pathlib import Path

import pytest

from portal import keys
from portal.core import number_hashes, sealing
from portal.keys import FILE, WrongKeys, load

ROOT = Path(__file__).resolve().parents[2]
# One process of a start: it waits for a sign, loads the keys and prints them.
START = """
import sys; from pathlib import Path; from portal import keys
sys.stdin.read(1)
found = keys.load(Path(sys.argv[1]))
print(found.session, found.codes[1].hex(), found.sealing[1].hex(), found.receipts.hex())
"""
GOOD = {"session": "a" * 64, "codes": {"1": "ab" * 32}}


def write(home: Path, content: object) -> None:
    """Puts a key file down, as JSON or as it stands."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (home / FILE).write_bytes(raw)


def test_the_first_start_makes_keys_and_every_other_start_finds_them(tmp_path):
    made = load(tmp_path / "new" / "home")
    assert load(tmp_path / "new" / "home") == made
    assert made.code_version == 1
    assert len(made.codes[1]) == 32
    assert len(made.session) == 64


def test_a_file_of_an_earlier_ringback_is_completed_and_keeps_what_it_has(tmp_path):
    write(tmp_path, GOOD)
    found = load(tmp_path)
    assert (found.session, found.codes) == (GOOD["session"], {1: bytes.fromhex("ab" * 32)})
    assert [len(key) for key in found.sealing.values()] == [32]
    assert len(found.receipts) == 32
    assert load(tmp_path) == found
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(("which", "weak"), [("session", "changeme"), ("codes", {"1": "ab"})])
def test_ops_06_a_key_that_is_too_short_is_named_and_not_told(tmp_path, which, weak):
    write(tmp_path, GOOD | {which: weak})
    with pytest.raises(WrongKeys, match=f"too short: {which}.$"):
        load(tmp_path)


def test_ops_05_no_key_stands_in_the_words_for_the_keys(tmp_path):
    found = load(tmp_path)
    assert repr(found) == "Keys()"


def test_ops_05_a_new_sealing_key_is_found_by_processes_that_run_already(tmp_path):
    running = load(tmp_path)
    assert keys.add_key(tmp_path, "sealing") == 2
    assert running.sealing[2] == load(tmp_path).sealing[2] != running.sealing[1]
    with pytest.raises(KeyError):
        running.sealing[3]


def test_ops_05_who_runs_already_seals_with_the_new_key_before_the_old_one_can_be_retired(tmp_path):
    running = load(tmp_path)
    keys.add_key(tmp_path, "sealing")
    assert max(running.sealing) == 2
    keys.remove_keys(tmp_path, "sealing", [1])
    assert sealing.seal(running.sealing, b"x", "y")[0] == 2
    (tmp_path / FILE).unlink()
    assert max(running.sealing) == 2


def test_ops_05_a_sealing_key_can_be_taken_away_but_never_the_newest(tmp_path):
    load(tmp_path)
    keys.add_key(tmp_path, "sealing")
    keys.add_key(tmp_path, "sealing")
    keys.remove_keys(tmp_path, "sealing", [1, 3])
    assert sorted(load(tmp_path).sealing) == [2, 3]


def test_pii_06_a_new_hashing_key_is_found_by_processes_that_run_already_and_a_retired_one_is_gone(tmp_path):
    running = load(tmp_path)
    first = running.hashing.all()
    assert keys.add_key(tmp_path, "hashing") == 2
    assert running.hashing.all()[0] == first[0]
    assert [version for version, _key in running.hashing.all()] == [1, 2]
    assert running.hashing.all() == load(tmp_path).hashing.all()
    keys.remove_keys(tmp_path, "hashing", [1, 2])
    assert [version for version, _key in running.hashing.all()] == [2]
    (tmp_path / FILE).unlink()
    assert running.hashing.newest == 2


def test_pii_06_a_file_of_before_gets_a_hashing_key_and_numbers_erased_before_are_still_known(tmp_path):
    write(tmp_path, GOOD | {"backups": "cd" * 32})
    found = load(tmp_path)

    assert [(version, len(key)) for version, key in found.hashing.all()] == [(1, 32)]
    before = hmac.digest(found.backups, b"ringback erasures", "sha256")
    assert number_hashes.erasure_keys(found)[number_hashes.FIRST] == before


def test_two_homes_share_no_key(tmp_path):
    one, other = load(tmp_path / "one"), load(tmp_path / "other")
    assert one.session != other.session
    assert one.codes[1] != other.codes[1]
    assert one.session not in (one.codes[1].hex(), other.codes[1].hex())


def test_ops_05_only_the_owner_may_read_the_file_and_no_draft_is_left(tmp_path):
    load(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("before", [None, GOOD])
def test_processes_that_start_at_once_get_the_same_keys(tmp_path, before):
    if before:
        write(tmp_path, before)
    command = [sys.executable, "-c", START, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in processes:
        process.stdin.write("!")
        process.stdin.flush()
    found = {process.communicate(timeout=30)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(found) == 1
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_whoever_comes_second_keeps_the_keys_of_the_first(tmp_path):
    first = load(tmp_path)
    keys._make(tmp_path / FILE)
    assert load(tmp_path) == first
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_new_codes_use_the_highest_version_and_older_keys_stay(tmp_path):
    write(tmp_path, {"session": "a" * 64, "codes": {"2": "cd" * 32, "10": "ef" * 32, "1": "ab" * 32}})
    found = load(tmp_path)
    assert found.code_version == 10
    assert found.codes[1] == bytes.fromhex("ab" * 32)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        {},
        {"session": "a" * 64},
        {"codes": {"1": "ab" * 32}},
        GOOD | {"codes": {}},
        GOOD | {"codes": []},
        GOOD | {"codes": None},
        GOOD | {"codes": {"one": "ab" * 32}},
        GOOD | {"codes": {"1": "no hex"}},
        GOOD | {"codes": {"1": 5}},
        GOOD | {"codes": {"1": "ab" * 31}},
        GOOD | {"codes": {"1": ""}},
        GOOD | {"codes": {"1": "ab" * 32, "2": "ab"}},
        GOOD | {"session": ""},
        GOOD | {"session": "a" * 31},
        GOOD | {"session": None},
        GOOD | {"session": 10**40},
        GOOD | {"session": ["a"] * 64},
        GOOD | {"sealing": {"1": "ab" * 31}},
        GOOD | {"sealing": {"1": "ab" * 33}},
        GOOD | {"sealing": {"1": ""}},
        GOOD | {"sealing": {"one": "ab" * 32}},
        GOOD | {"sealing": ["ab" * 32]},
        GOOD | {"hashing": {"1": "ab" * 31}},
        GOOD | {"hashing": {"one": "ab" * 32}},
        GOOD | {"hashing": ["ab" * 32]},
        GOOD | {"receipts": "ab" * 31},
        GOOD | {"receipts": "no hex"},
        GOOD | {"receipts": 5},
    ],
)
def test_a_damaged_file_is_refused_and_left_for_the_operator(tmp_path, content):
    write(tmp_path, content)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(WrongKeys) as refused:
        load(tmp_path)
    assert FILE in str(refused.value)
    assert "ab" * 16 not in str(refused.value), "no key stands in an error"
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("change", [{"session": "changeme" * 8}, {"codes": {"1": "00" * 32}}])
def test_ops_06_production_refuses_keys_that_nobody_drew_at_random(tmp_path, change):
    keys.load(tmp_path, refuses_placeholders=True)
    path = tmp_path / keys.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(keys.WrongKeys, match="placeholder"):
        keys.load(tmp_path, refuses_placeholders=True)
    assert keys.load(tmp_path)
