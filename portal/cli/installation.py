"""Which installation is this command for? Its settings, app and database, each made when first needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from portal import config
from portal.config import Settings

if TYPE_CHECKING:
    from flask import Flask

    from portal.services.context import Context, Parts


class Worker(Protocol):
    """What the terminal needs of a worker."""

    def ring(self) -> None:
        """Says that a message was put down."""
        ...

    def start(self) -> None:
        """Starts working beside the caller."""
        ...

    def stop(self) -> bool:
        """Ends the work; whether everything under way was finished."""
        ...


class Installation:
    """One installation, as the environment describes it. Every command gets it as its object."""

    def __init__(
        self,
        make_app: Callable[[], "Flask"],
        make_worker: Callable[["Flask"], Worker],
        *,
        app_target: str,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """`app_target` is how a server process of its own finds the app: `module:function`.

        `prepare` makes in the parent of such processes what they all need.
        """
        self._make_app = make_app
        self.prepare = prepare
        self._make_worker = make_worker
        self.app_target = app_target

    @cached_property
    def settings(self) -> Settings:
        """The settings in force. Raises config.WrongSetting."""
        return config.load()

    @cached_property
    def app(self) -> "Flask":
        """The app over a database with the right schema.

        Raises config.WrongSetting, keys.WrongKeys, database.WrongPragma and schema.WrongSchema.
        """
        self.require_schema()
        return self._make_app()

    @property
    def parts(self) -> "Parts":
        """What the factory put together."""
        parts: Parts = self.app.extensions["ringback"]
        return parts

    def require_schema(self) -> None:
        """Raises schema.WrongSchema unless the database has the schema of this Ringback."""
        from portal.cli import schema

        schema.require(self.settings)

    def require_primary(self) -> None:
        """Raises schema.WrongSchema where nothing can be written: whoever serves or sends has to."""
        from portal.cli import schema

        schema.require_writable(self.settings)

    def make_worker(self) -> Worker:
        """A worker for this installation's outbox, not started yet."""
        return self._make_worker(self.app)

    @contextmanager
    def transaction(self) -> Iterator["Context"]:
        """One write transaction, made by the operator: what a verb needs to know."""
        from portal import database
        from portal.models import ActorKind
        from portal.own_work import of_all_apps
        from portal.services.context import Caller

        with of_all_apps(self.app), database.transaction() as session:
            yield self.parts.context(session, Caller(ActorKind.OPERATOR))
