"""Does every class of the style sheets stand in some page, and every class of a page in some style sheet?"""

import re
from pathlib import Path

from tests.house.conftest import PORTAL, ROOT, python_files

STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
# htmx puts these on by itself.
FROM_HTMX = {"htmx-request", "htmx-swapping"}
_NO_SELECTOR = re.compile(r"/\*.*?\*/|url\([^)]*\)|\"[^\"]*\"", re.DOTALL)
_CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
_CLASSES = re.compile(r'class="((?:[^"{]|\{\{.*?\}\}|\{%.*?%\})*)"')
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")


def read(files) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def styled() -> set[str]:
    """Every class that some style sheet of ours names."""
    return set(_CLASS.findall(_NO_SELECTOR.sub("", read(STATIC.rglob("*.css")))))


def worn() -> set[str]:
    """Every class that a template writes out whole."""
    lists = _CLASSES.findall(read(TEMPLATES.rglob("*.html")))
    words = (word for each in lists for word in re.findall(r"[\w-]+", _JINJA.sub("\0", each)))
    return {word for word in words if not word.endswith("-")}


def words() -> set[str]:
    """Every word that a page, a script or a file of ours can make a class of."""
    files = [*TEMPLATES.rglob("*.html"), *STATIC.rglob("*.js"), *map(Path, python_files(PORTAL))]
    return set(re.findall(r"[\w-]+", read(files)))


def test_every_class_of_a_style_sheet_is_worn_somewhere():
    found = words()
    # A state is written `is-{{ tone }}`, so its word alone stands somewhere.
    unworn = {each for each in styled() if each not in found and each.removeprefix("is-") not in found}

    assert unworn == FROM_HTMX


def test_every_class_of_a_page_is_styled_or_found_by_a_script():
    scripts = set(re.findall(r"[\w-]+", read(STATIC.rglob("*.js"))))

    assert worn() - styled() - scripts == set()
