"""Which receipts are about no message? They are counted by the hour, for the app's owner."""

from sqlalchemy.orm import Session

from portal.delivery import receipt_tallies
from portal.models import UnmatchedReceipt


def count(session: Session, provider_id: str, receipts: int, now: int) -> None:
    """Counts so many more receipts of a carrier that matched no message, at `now` (Unix ms)."""
    receipt_tallies.add(session, UnmatchedReceipt, provider_id, receipts, now)
