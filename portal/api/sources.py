"""How much may come from where a call comes from? The budgets of the REST door (ABU-02, OTP-06).

An administrator's token is a backend that calls for many people, so it spends only the budget of calls.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from flask import g, request
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal import clock
from portal.api import auth
from portal.api.operations import api_blueprint
from portal.database import transaction
from portal.errors import WrongCode
from portal.models import ActorKind
from portal.services import code_sprays
from portal.services.context import Caller
from portal.services.source_limits import Budget

_log = structlog.get_logger()


def spend_send() -> None:
    """Counts a request for an SMS, of the caller whom `auth` admitted. Raises TooSoon and Busy."""
    if not _is_backend():
        auth.parts().sources.spend(Budget.SENDS, _source())


@contextmanager
def guessing() -> Iterator[None]:
    """Around a check of a code: counts wrong ones. Raises TooSoon and Busy before anything is checked."""
    budgets = auth.parts().sources
    budgets.require_room(Budget.WRONG_CODES, _source())
    try:
        yield
    except WrongCode:
        if not _is_backend():
            budgets.note(Budget.WRONG_CODES, _source())
        if budgets.note_check(_app_id(), failed=True):
            _tell_of_spray(_app_id())
        raise
    budgets.note_check(_app_id(), failed=False)


def take_check() -> None:
    """Before a code of the admitted caller's app is checked. Raises TooSoon while codes are sprayed there.

    It comes after `auth`: whoever has no credentials takes nobody's turn.
    """
    auth.parts().sources.take_check(_app_id())


@api_blueprint.before_request
def _spend_call() -> None:
    auth.parts().sources.spend_call(_source())


def _tell_of_spray(app_id: str) -> None:
    """The one journey to the database that a spray costs, every half a minute at most in each process."""
    try:
        with transaction() as session:
            code_sprays.note(session, app_id, clock.now())
    except (OperationalError, PoolTimeout) as error:
        # The guess is counted and refused all the same; the next failure tells again.
        _log.warning("code_spray_not_noted", error=type(error).__name__)
    _log.warning("codes_sprayed", app_id=app_id)


def _app_id() -> str:
    caller: Caller = g.api_caller
    return caller.app_id


def _source() -> str:
    return auth.parts().sources.source_of(request.environ)


def _is_backend() -> bool:
    return g.get("api_caller") is not None and g.api_caller.kind is ActorKind.ADMIN
