"""Is every template reached, every fragment included, every macro used?"""

import ast
import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, nodes

from tests.house.conftest import PORTAL, ROOT, python_files

TEMPLATES = ROOT / "templates"
ALL = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
MACROS = [name for name in ALL if name.startswith("macros/")]
FRAGMENTS = [name for name in ALL if Path(name).name.startswith("_")]
JINJA = Environment(loader=FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.do"])


def text_of(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def named_by(name: str) -> set[str]:
    """The templates that this one extends, includes or imports from, by a choice too."""
    words = (found.value for found in JINJA.parse(text_of(name)).find_all(nodes.Const))
    return {word for word in words if isinstance(word, str) and word.endswith(".html")}


def named_in_python() -> set[str]:
    """Every template that some file of ours names in a string."""
    return {
        node.value
        for path in python_files(PORTAL)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".html")
    }


def reached() -> set[str]:
    """Every template that a view names, and all that these name in turn."""
    found, waiting = set(), named_in_python()
    while waiting:
        name = waiting.pop()
        if name not in found and (TEMPLATES / name).exists():
            found.add(name)
            waiting |= named_by(name)
    return found


def test_every_template_is_reached():
    assert set(ALL) - reached() == set()


def test_every_template_that_is_named_is_there():
    named = named_in_python() | {other for name in ALL for other in named_by(name)}

    assert {name for name in named if not (TEMPLATES / name).exists()} == set()


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_every_fragment_is_included_by_a_page_or_a_fragment(fragment):
    assert any(fragment in named_by(other) for other in ALL if other != fragment)


@pytest.mark.parametrize("file", MACROS)
def test_every_macro_is_used(file):
    for macro in re.findall(r"{%-?\s*macro\s+(\w+)\(", text_of(file)):
        calls = rf"(?<!macro )\b{macro}\("
        assert any(re.search(calls, text_of(name)) for name in ALL), f"{macro} of {file}"


@pytest.mark.parametrize("name", ALL)
def test_web_05_no_template_has_an_inline_script_style_or_handler(name):
    text = text_of(name)

    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)


@pytest.mark.parametrize("name", ALL)
def test_no_template_switches_escaping_off_but_for_its_own_drawings(name):
    """A drawing is picked by name from a table that stands in the very same file."""
    tables = re.findall(r"{%-?\s*set (\w+) = {\n", text_of(name))
    rest = re.sub(rf"\b({'|'.join(tables)})\[\w+\]\|safe\b", "", text_of(name)) if tables else text_of(name)

    assert not re.search(r"\|\s*safe\b|autoescape", rest)


@pytest.mark.parametrize("name", ALL)
def test_no_template_is_longer_than_the_alarm(name):
    assert len(text_of(name).splitlines()) <= 120
