"""Where does a journey start? On a machine without Ringback, with a browser."""

from collections.abc import Iterator

import pytest

from tests.browser.chromium import browser_type_launch_args, context, page, scripts, watch
from tests.browser.installations import Installation, running

__all__ = ["browser_type_launch_args", "context", "page", "scripts", "watch"]


@pytest.fixture
def installation(database: str, empty_url: str, tmp_path) -> Iterator[Installation]:
    """Ringback as `make run` starts it: on SQLite with no setting at all, or on an empty PostgreSQL."""
    with running(tmp_path / "home", "" if database == "sqlite" else empty_url) as installation:
        yield installation


@pytest.fixture
def site(installation: Installation) -> str:
    """The address that was printed."""
    return installation.address
