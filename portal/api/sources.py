"""How much may come from where a call comes from? The budgets of the REST door (ABU-02, OTP-06).

An administrator's token is a backend that calls for many people, so it spends only the budget of calls.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, request

from portal.api import auth
from portal.api.operations import api_blueprint
from portal.errors import WrongCode
from portal.models import ActorKind
from portal.services.source_limits import Budget


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
        raise


@api_blueprint.before_request
def _spend_call() -> None:
    auth.parts().sources.spend_call(_source())


def _source() -> str:
    return auth.parts().sources.source_of(request.environ)


def _is_backend() -> bool:
    return g.get("api_caller") is not None and g.api_caller.kind is ActorKind.ADMIN
