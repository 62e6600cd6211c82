"""Who was refused because of an hourly limit? The refused transaction is gone, so a new one says so."""

from portal.database import transaction
from portal.errors import TooSoon
from portal.services import limit_hits
from portal.web.guards import Standing


def note(standing: Standing, refusal: TooSoon) -> None:
    """Puts the refusal on the app's record, once an hour for each limit."""
    with transaction() as session:
        ctx = standing.context(session)
        limit_hits.note(ctx, refusal.reason)
