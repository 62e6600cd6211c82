"""Which doors are there? Every route of the app's URL map, and the address of each for given ids."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map

from portal.config import Settings
from tests.walls.rows import ROWS, Row

# What stands in the parts of an address that name nothing of anybody's.
WORDS = {
    "locale": "ja",
    "version": "1",
    "kind": "http",
    "deed": "resend",
    "name": "phoneNumberVerificationRequired",
    "filename": "css/tokens.css",
    "rest": "nowhere",
}
_PART = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
AUTOMATIC = {"HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Route:
    """One method of one rule."""

    endpoint: str
    rule: str
    method: str

    @property
    def parts(self) -> frozenset[str]:
        """The parts that name something of somebody's."""
        return frozenset(_PART.findall(self.rule)) - set(WORDS)

    @property
    def row(self) -> Row:
        """What the matrix says of it."""
        return ROWS[self.endpoint]

    @property
    def is_api(self) -> bool:
        """Whether it is a call of the REST API."""
        return self.rule.startswith("/api")

    def path(self, ids: Mapping[str, str]) -> str:
        """Its address."""
        return _PART.sub(lambda part: (WORDS | dict(ids))[part[1]], self.rule)

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


@cache
def all_routes() -> tuple[Route, ...]:
    """Every route; those that take any method stand here with GET."""
    return tuple(sorted(_routes(), key=str))


def changing() -> list[Route]:
    """The portal's routes that change something, or could."""
    return [route for route in pages() if route.method != "GET"]


def pages() -> list[Route]:
    """The portal's routes, those for machines left out."""
    return [route for route in all_routes() if not route.rule.startswith(("/api", "/receipts/"))]


def calls() -> list[Route]:
    """The API's routes."""
    return [route for route in all_routes() if route.is_api and route.endpoint != "api.nowhere"]


def takes(path: str, method: str) -> bool:
    """Whether any route answers this method at this address."""
    try:
        return _map().bind("127.0.0.1").match(path, method)[0] != "api.nowhere"
    except (MethodNotAllowed, NotFound):
        return False


def _routes() -> Iterator[Route]:
    for rule in _map().iter_rules():
        for method in (rule.methods or {"GET"}) - AUTOMATIC:
            yield Route(rule.endpoint, rule.rule, method)


@cache
def _map() -> Map:
    from portal.database import db
    from portal.factory import create_app

    with tempfile.TemporaryDirectory() as home:
        app = create_app(Settings(home=Path(home)))
        with app.app_context():
            db.engine.dispose()
        return app.url_map
