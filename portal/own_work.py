"""How does Ringback reach rows for work of its own? In surroundings that see every app (TEN-03)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from portal import database
from portal.services import fences


class App(Protocol):
    """What is needed of the app that the factory made."""

    extensions: dict[str, Any]

    def app_context(self) -> AbstractContextManager[Any]:
        """Opens the surroundings in which the database is reached."""
        ...


@contextmanager
def of_all_apps(app: App) -> Iterator[None]:
    """Surroundings for the worker, periodic jobs, the watchman, figures and the operator's commands."""
    with app.app_context():
        fences.open_to_all(database.reading())
        yield
