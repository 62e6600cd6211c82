"""When was an AppKey used last? Noted once a day and key, after the answer and never in its way (TEN-07)."""

import structlog
from flask import Response, g
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal import clock
from portal.api.operations import api_blueprint
from portal.database import transaction
from portal.services import key_checks

_log = structlog.get_logger()


def remember(key_id: str | None) -> None:
    """Has the use of a key noted after the answer; None where today's was noted already."""
    g.api_unnoted_key = key_id


@api_blueprint.after_request
def _note_use(answer: Response) -> Response:
    key_id = g.pop("api_unnoted_key", None)
    if key_id is not None:
        try:
            with transaction() as session:
                key_checks.note_use(session, key_id, clock.now())
        except (OperationalError, PoolTimeout) as error:
            # The caller has its answer; the next request notes the day.
            _log.warning("key_use_not_noted", error=type(error).__name__)
    return answer
