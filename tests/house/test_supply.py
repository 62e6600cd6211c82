"""Is what runs what was locked, and does the repository hold nobody's secret? (OPS-07)

test_locks.py says that every package is pinned with hashes; here pip itself refuses what differs.
"""

import base64
import hashlib
import re
import secrets
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.conftest import PORTAL, ROOT, python_files, short
from tests.house.secret_marks import MARKS, marks_in, passwords_in, random_values_in
from tests.house.test_locks import LOCKS, ours, text_of, versions

# The first versions without the weaknesses that the requirements name.
FLOORS = {"flask": (3, 1, 3), "jinja2": (3, 1, 6), "werkzeug": (3, 1, 6)}
# What a lock is made of: its hashes are as random as keys.
LOCKED = {"requirements.txt", "requirements-dev.txt", "tests/sdk/package-lock.json"}
BINARY = {".png"}
# Tests try what becomes of an address with a password in it.
TRIED = {"a password in an address"}
# Words that stand beside the word password and are none.
WORDS = {
    "'passwordResetMethod' = 'GENERATE_PASSWORD'": "Kii's name of a way",
    "'SECURITY_PASSWORD_HASH' = 'argon2'": "the name of the hash",
    "KeyKind.CLIENT_SECRET = 'ClientSecret'": "what people call that kind of key",
}


@pytest.mark.parametrize("lock", LOCKS[:2])
@pytest.mark.parametrize("name", FLOORS)
def test_ops_07_no_version_below_its_floor_is_locked(lock, name):
    assert tuple(map(int, versions(lock)[name].split("."))) >= FLOORS[name]


@pytest.mark.parametrize("name", ["flask", "jinja2"])
def test_ops_07_no_version_below_its_floor_is_asked_for(name):
    asked = re.search(rf'"{name}>=([0-9.]+)', text_of("pyproject.toml"))

    assert asked
    assert tuple(map(int, asked[1].split("."))) >= FLOORS[name]


def test_ops_07_everything_is_installed_by_its_hashes():
    lines = [line for line in text_of("Makefile").splitlines() if "$(PIP)" in line]

    assert len(lines) >= 3
    assert [line for line in lines if "--require-hashes" not in line and "--no-deps" not in line] == []


# --- An altered wheel ----------------------------------------------------------------------------


def wheel(folder: Path, body: str) -> Path:
    """A small package, as it would come from a registry."""
    files = {
        "walltest.py": body,
        "walltest-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: walltest\nVersion: 1.0\n",
        "walltest-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    files["walltest-1.0.dist-info/RECORD"] = "\n".join([*lines, "walltest-1.0.dist-info/RECORD,,", ""])
    path = folder / "walltest-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def install(folder: Path, requirement: str) -> subprocess.CompletedProcess[str]:
    """What the Makefile does, from a folder in place of a registry, and into another one."""
    (folder / "requirements.txt").write_text(requirement, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--isolated", "install"]
    command += ["--require-hashes", "--no-index", "--no-cache-dir", "--find-links", str(folder)]
    command += ["--target", str(folder / "installed"), "-r", str(folder / "requirements.txt")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_ops_07_a_wheel_that_was_altered_is_refused_and_the_very_one_is_taken(tmp_path):
    locked = hashlib.sha256(wheel(tmp_path, "HONEST = True\n").read_bytes()).hexdigest()
    requirement = f"walltest==1.0 --hash=sha256:{locked}\n"
    wheel(tmp_path, "HONEST = False\n")
    altered = install(tmp_path, requirement)
    assert altered.returncode != 0
    assert "DO NOT MATCH THE HASHES" in altered.stderr
    assert not (tmp_path / "installed").exists()
    bare = install(tmp_path, "walltest==1.0\n")
    assert bare.returncode != 0
    assert not (tmp_path / "installed").exists()
    path = wheel(tmp_path, "HONEST = True\n")
    again = hashlib.sha256(path.read_bytes()).hexdigest()
    assert install(tmp_path, f"walltest==1.0 --hash=sha256:{again}\n").returncode == 0
    assert (tmp_path / "installed" / "walltest.py").read_text(encoding="utf-8") == "HONEST = True\n"


# --- Secrets in the repository -------------------------------------------------------------------


def test_ops_07_no_file_of_ours_holds_a_key_that_tells_what_it_is():
    found = {
        path: set(marks_in(text_of(path))) - (TRIED if path.startswith("tests/") else set())
        for path in texts()
    }

    assert {path: kinds for path, kinds in found.items() if kinds} == {}


def test_ops_07_nothing_long_and_random_is_given_to_anything_outside_the_tests():
    outside = [path for path in texts() if not path.startswith("tests/") and path not in LOCKED]
    found = {path: list(random_values_in(text_of(path))) for path in outside}

    assert {path: values for path, values in found.items() if values} == {}


@pytest.mark.parametrize("path", python_files(PORTAL), ids=short)
def test_ops_07_no_password_is_written_into_the_code(path):
    assert set(passwords_in(path.read_text(encoding="utf-8"))) - set(WORDS) == set()


def test_ops_07_the_scan_finds_what_it_looks_for():
    """Put together here, so that this file holds none of them."""
    drawn = secrets.token_hex(16)
    planted = [
        "-----BEGIN " + "RSA PRIVATE KEY-----\\n" + drawn,
        "AKIA" + "ABCDEFGHIJ234567",
        "SK" + drawn,
        "AC" + drawn,
        "sk_" + "live_" + drawn,
        "ghp_" + drawn + "abcd",
        "xoxb" + "-" + drawn,
        "AIza" + drawn + "abc",
        ".".join(["eyJ" + drawn, "eyJ" + drawn, drawn]),
        "postgresql://ringback:" + "hunter2222@db.example/ringback",
    ]
    assert [next(marks_in(f"x = '{each}'"), None) for each in planted] == list(MARKS)
    key = secrets.token_urlsafe(32) + "a1"
    assert list(random_values_in(f'key = "{key}"')) == [key]
    assert list(passwords_in('DB_PASSWORD = "hunter2"\nlog_in(secret="s3cret!")')) != []
    assert list(passwords_in('PASSWORD = "password"\nlabel(password="Type your password.")')) == []


def texts() -> list[str]:
    return [path for path in ours() if (ROOT / path).suffix not in BINARY]
