"""How does a refused SMS get on record? In a transaction of its own, after the refused one is undone."""

import structlog
from flask import g
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.api import auth
from portal.database import reading, transaction
from portal.errors import Refusal
from portal.services import refused_sends

_logger = structlog.get_logger()


def remember(refusal: Refusal) -> None:
    """Notes a refusal of an SMS to a user whom we know, so that support can say why none came.

    Who repeats a request over and over only reads: the lock is taken for what is news.
    """
    told, user_id = refused_sends.told_by(refusal), g.get("api_user_id")
    if told is None or user_id is None:
        return
    try:
        session = reading()
        is_news = refused_sends.is_news(auth.again(session), user_id, told)
        session.rollback()
        if is_news:
            with transaction() as session:
                refused_sends.note(auth.again(session), user_id, told)
    except (OperationalError, PoolTimeout) as error:
        # The caller gets the refusal all the same; an entry is worth no second error.
        _logger.warning("refused_send_not_noted", error=type(error).__name__)
