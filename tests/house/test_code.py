"""Does the code keep its own measure: short functions, short files, plain names, no loose ends?"""

import ast
import re

import pytest

from tests.house.conftest import PORTAL, ROOT, python_files, short

FILES = python_files(PORTAL)
JUNK_DRAWERS = {"utils", "helpers", "common", "misc", "manager", "handler", "data", "info", "base_utils"}
CSS = sorted((ROOT / "static" / "css").rglob("*.css"))
JS = sorted((ROOT / "static" / "js").rglob("*.js"))


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=short)
def test_no_file_is_longer_than_the_alarm(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.parametrize("path", FILES, ids=short)
def test_no_function_is_longer_than_the_alarm(path):
    long = [
        f"{node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno + 1 > 40
    ]

    assert long == []


@pytest.mark.parametrize("path", FILES, ids=short)
def test_no_file_is_a_junk_drawer(path):
    assert not JUNK_DRAWERS & {path.stem, path.parent.name}


@pytest.mark.parametrize("path", FILES, ids=short)
def test_every_public_function_and_class_says_what_it_is_for(path):
    silent = [
        node.name
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]

    assert silent == []


@pytest.mark.parametrize("path", FILES, ids=short)
def test_no_line_is_excused_from_coverage_and_nothing_is_put_off(path):
    assert not re.search(r"pragma: no cover|\b(TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [path for path in FILES if path != PORTAL / "config.py"], ids=short)
def test_only_one_file_reads_the_environment(path):
    assert not re.search(r"os\.environ\b|os\.getenv\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [path for path in FILES if path != PORTAL / "clock.py"], ids=short)
def test_only_one_file_reads_the_clock(path):
    assert not re.search(
        r"\btime\.time(_ns)?\(|datetime\.(now|utcnow|today)\(", path.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("path", FILES, ids=short)
def test_the_clock_is_asked_through_its_module(path):
    """Tests stop the clock by changing `portal.clock.now`; a name imported from there would go on ticking."""
    assert not re.search(r"from portal\.clock import .*\bnow\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CSS, ids=short)
def test_no_style_sheet_is_longer_than_the_alarm(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("path", JS, ids=short)
def test_each_script_of_ours_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


def test_all_scripts_of_ours_are_short():
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in JS) <= 400
