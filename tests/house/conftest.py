"""What do tests about the code look at? The tree as it stands, and an app that is only looked at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal import database
from portal.config import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
PORTAL = ROOT / "portal"


def python_files(*folders: Path) -> list[Path]:
    """Every Python file of ours below these folders, migrations left out: those are written by a tool."""
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "versions" not in path.parts)


def short(path: Path) -> str:
    """A path as a test is named after it."""
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="package")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The whole app, for its routes and templates; its database has no tables."""
    from portal.factory import create_app

    app = create_app(Settings(home=tmp_path_factory.mktemp("home"), worker=False, log_level="warning"))
    yield app
    with app.app_context():
        database.db.engine.dispose()
