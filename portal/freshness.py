"""Does a connection that was kept for later still have its server? Asked each time it is used again."""

import selectors
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import InvalidatePoolError

# One that needs no file of its own, where the system has it: it is made for every request.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Freshness:
    """Whether a pooled connection still has its server, asked without asking the server each time.

    A server that went away has closed the socket, which shows as something to read where nothing is awaited.
    A ping before every request, as `pool_pre_ping` has it, costs three journeys for the same answer.
    """

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect

    def __call__(self, connection: Any, _record: object, _proxy: object) -> None:
        """Raises InvalidatePoolError, upon which the pool opens a new connection."""
        if connection.closed or (_has_something_to_read(connection) and not self._answers(connection)):
            raise InvalidatePoolError

    def _answers(self, connection: Any) -> bool:
        try:
            return self._dialect.do_ping(connection)
        except self._dialect.loaded_dbapi.Error:
            return False


def _has_something_to_read(connection: Any) -> bool:
    with _Selector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
