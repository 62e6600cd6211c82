"""Are dependencies locked, with hashes, and without naming anybody's machine?"""

import json
import re
import subprocess
import tomllib

import pytest

from tests.house.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.txt", "requirements-dev.txt", "tests/sdk/package-lock.json")
TOP_LEVEL = {"pyproject.toml", "portal", "templates", "static", "tests", "README.md", "Makefile", *LOCKS[:2]}
# Put together so that this file does not name them itself.
FOREIGN = [
    "pypi" + r"\.",
    r"\.pythonhosted" + r"\.",
    "registry" + r"\.npm",
    "npmjs" + r"\.",
    r"deb\." + "debian",
    r"(?<![\w.])/(work" + r"|opt/pypi|root)/",
]


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_host(lock):
    assert not re.search(r"://|\"resolved\"|--index|--find-links|--extra", text_of(lock))


@pytest.mark.parametrize("lock", LOCKS[:2])
def test_every_python_package_is_pinned_with_hashes(lock):
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", text_of(lock)).strip())

    for entry in entries:
        assert re.match(r"[a-z0-9._-]+(\[[a-z, ]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_every_node_package_is_pinned_with_a_hash():
    packages = json.loads(text_of(LOCKS[2]))["packages"]

    assert {"node_modules/kii-cloud-sdk", "node_modules/xmlhttprequest"} <= set(packages)
    assert all("integrity" in package for name, package in packages.items() if name)


def test_the_kii_client_is_the_very_one_that_was_asked_for():
    wanted = json.loads(text_of("tests/sdk/package.json"))["dependencies"]

    assert wanted == {"kii-cloud-sdk": "2.4.19", "xmlhttprequest": "1.8.0"}


def test_everything_that_is_asked_for_is_locked():
    groups = PROJECT["dependency-groups"]
    run, build, dev = (
        set(map(name_of, each)) for each in (PROJECT["project"]["dependencies"], *groups.values())
    )

    assert run | build <= locked("requirements.txt")
    assert run | build | dev <= locked("requirements-dev.txt")


def test_the_tests_run_with_the_very_packages_that_ringback_runs_with():
    assert versions("requirements.txt").items() <= versions("requirements-dev.txt").items()


def test_no_file_of_ours_names_a_registry_or_a_machine():
    for path in ours():
        text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
        found = [pattern for pattern in FOREIGN if re.search(pattern, text)]
        assert not found, f"{path}: {found}"


def test_the_top_level_holds_what_it_should():
    top = {path.partition("/")[0] for path in ours()}

    assert {name for name in top if not name.startswith(".")} - TOP_LEVEL == set()


def ours():
    """The files that are committed, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(path for path in listed.split("\0") if path and (ROOT / path).is_file())


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def name_of(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement).group().lower().replace("_", "-")


def versions(lock):
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)(?:\[[a-z, ]+\])?==([^\s;]+)", text_of(lock)))


def locked(lock):
    return set(versions(lock))
