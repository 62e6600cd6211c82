"""Does the README say what is so? Its settings, its tree and its commands."""

import re
import subprocess
from dataclasses import fields

import pytest

from portal.config import PREFIX, Settings
from tests.house.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SETTINGS = {PREFIX + each.name.upper() for each in fields(Settings)}
# Folders that are there in every checkout; what tools and runs leave behind is in .gitignore.
HOMES = ("portal", "templates", "static", "tests")
LEFT_BY_TOOLS = {"__pycache__", "node_modules", "versions"}


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_every_setting_has_a_row_in_the_table(setting):
    assert re.search(rf"^\| *`{setting}` *\|", README, flags=re.MULTILINE)


def test_no_setting_is_told_of_that_is_not_there():
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", README)) <= SETTINGS


def test_every_command_that_is_told_of_is_there():
    targets = set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )

    assert set(re.findall(r"\bmake ([a-z-]+)`", README)) <= targets
    assert set(re.findall(r"^\$? *make ([a-z-]+)", README, flags=re.MULTILINE)) <= targets


def test_the_two_commands_are_told_of():
    assert {"run", "test"} <= set(re.findall(r"\bmake ([a-z]+)", README))


def test_the_tree_is_the_tree():
    told = _told()

    assert {path for path in told if not (ROOT / path).exists()} == set()
    assert _folders() - told == set()


def test_make_alone_says_what_can_be_made():
    told = subprocess.run(["make", "--silent"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert {"make run", "make test", "make check", "make bench"} <= set(re.findall(r"make [a-z]+", told))


def _told():
    """The paths in the README's tree: a fenced block from pyproject.toml on, two spaces a step in."""
    block = re.search(r"^```\w*\n(pyproject\.toml.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    assert block, "the README has no tree"
    paths, above = set(), []
    for line in block.group(1).splitlines():
        step = (len(line) - len(line.lstrip())) // 2
        names = re.split(r" {2,}", line.strip())[0].split()
        above[step:] = [names[0].rstrip("/")] if names and names[0].endswith("/") else []
        paths |= {"/".join([*above[:step], name.rstrip("/")]) for name in names}
    return paths


def _folders():
    """The folders of the four homes, one step in."""
    return {
        str(path.relative_to(ROOT))
        for home in HOMES
        for path in (ROOT / home, *(ROOT / home).iterdir())
        if path.is_dir() and path.name not in LEFT_BY_TOOLS
    }
