"""Which receipts arrive and cannot be read? They are counted by the hour, and by what they lack."""

from sqlalchemy.orm import Session

from portal.core.receipt_troubles import ReceiptTrouble
from portal.delivery import receipt_tallies
from portal.models import UnreadableReceipt


def count(session: Session, provider_id: str, trouble: ReceiptTrouble, now: int) -> None:
    """Counts one more receipt of a carrier that could not be read, at `now` (Unix ms)."""
    receipt_tallies.add(session, UnreadableReceipt, provider_id, 1, now, {"trouble": trouble.value})
