"""What stands behind the walls? On each database one town and one real server a file of tests."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event

from portal import keys as portal_keys
from portal.config import Settings
from portal.models import random_id
from tests import postgresql
from tests.conftest import DATABASES, migrate_for_app
from tests.walls.servers import Site, serving
from tests.walls.town import Browser, Town

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets all tests of a file on one database run in one process, where the server is started once."""
    for item in items:
        if item.path.parent == HERE and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            database = item.callspec.params.get("town_settings", "")
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{database}"))


@pytest.fixture(scope="module", params=DATABASES)
def town_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings over a migrated database that this file of tests has for itself."""
    home = tmp_path_factory.mktemp("walls")
    url = ""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), home / "ringback.db")
    else:
        server = request.getfixturevalue("postgresql_server")
        url = migrate_for_app(postgresql.create_database(server, f"walls_{random_id()[:12]}"))
    return Settings(home=home, database_url=url, worker=False, log_level="warning")


@pytest.fixture(scope="module")
def town(town_settings: Settings, password_hash: str) -> Iterator[Town]:
    """The people and the apps."""
    address = postgresql.as_role(town_settings.sqlalchemy_url, postgresql.SUPERUSER)
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
    made = Town(engine, portal_keys.load(town_settings.home), password_hash)
    yield made
    made.rows.close()
    engine.dispose()


def _prepare(connection, _record) -> None:
    connection.execute("PRAGMA foreign_keys = 1")
    # The rows that a test puts down need not outlive a power cut.
    connection.execute("PRAGMA synchronous = off")


@pytest.fixture(scope="module")
def site(
    town: Town, town_settings: Settings, site_changes: dict[str, str], meant_troubles: bool
) -> Iterator[Site]:
    """The server. A file of tests says with `site_changes` how its settings differ."""
    log = town_settings.home / "server.log"
    with serving(town_settings, log, **site_changes) as running:
        yield running
    assert meant_troubles or running.troubles == []


@pytest.fixture(scope="module")
def site_changes() -> dict[str, str]:
    """Limits are lifted where they are not what is tried."""
    return {"limits": "bench"}


@pytest.fixture(scope="module")
def meant_troubles() -> bool:
    """Whether a file of tests breaks something on purpose; otherwise the log must hold no error."""
    return False


@pytest.fixture
def enter(town: Town, site: Site) -> Callable[..., Browser]:
    """`enter(town.shop.owner)` is Alice's browser; without anybody it is that of nobody."""
    return lambda account=None: town.sign_in(account, site.door(), site.cookie_name)
