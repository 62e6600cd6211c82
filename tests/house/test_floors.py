"""Do imports go down only, and would we be told if one did not?"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.conftest import ROOT

PROGRAM = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"

# A breach: the file it is planted in, the line, and what must be said of it under which contract.
BREACHES = [
    ("core/roles.py", "import flask", "Core knows neither", "portal.core.roles -> flask"),
    ("core/reasons.py", "import sqlalchemy", "Core knows neither", "portal.core.reasons -> sqlalchemy"),
    ("clock.py", "import flask", "The ground floor", "portal.clock -> flask"),
    ("services/countries.py", "import flask", "Flask stays", "portal.services.countries -> flask"),
    ("models/membership.py", "import flask_wtf", "Flask stays", "portal.models.membership -> flask_wtf"),
    ("core/limits.py", "import portal.models", "Imports go down", "portal.core.limits -> portal.models"),
    (
        "services/outbox.py",
        "import portal.database",
        "Imports go down",
        "portal.services.outbox -> portal.database",
    ),
    (
        "services/users.py",
        "import portal.delivery",
        "Imports go down",
        "portal.services.users -> portal.delivery",
    ),
    ("web/apps.py", "import portal.api.users", "Imports go down", "portal.web.apps -> portal.api.users"),
    ("keys.py", "import portal.config", "Imports go down", "portal.keys -> portal.config"),
    ("turnstile.py", "import flask", "The ground floor", "portal.turnstile -> flask"),
    ("stray.py", "", "Imports go down", "portal.stray"),
    ("services/audit.py", "import portal.services.users", "Files of one floor", ".audit -> .users"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict over the tree in `folder`."""
    command = [sys.executable, "-c", PROGRAM, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def verdict_over_breaches(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "portal", folder / "portal", ignore=shutil.ignore_patterns("__pycache__"))
    for file, line, _, _ in BREACHES:
        path = folder / "portal" / file
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    verdict = lint(folder)
    assert verdict.returncode != 0
    return verdict.stdout


def test_every_floor_is_kept():
    verdict = lint(ROOT)

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract", "breach"), BREACHES, ids=[breach[0] for breach in BREACHES]
)
def test_a_planted_breach_is_reported(verdict_over_breaches, file, line, contract, breach):
    assert breach in _part_about(verdict_over_breaches, contract)


def _part_about(verdict: str, contract: str) -> str:
    # Below the summary, the part about a broken contract begins with its name, underlined.
    _, *parts = re.split(r"^(?=.+\n-{20,}$)", verdict, flags=re.MULTILINE)
    return "".join(part for part in parts if part.startswith(contract))
