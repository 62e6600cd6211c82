"""What may a receipt say about a message? States only move forward, and delivered never means verified."""

from portal.core.closed_list import ClosedList


class ReceiptState(ClosedList):
    """How far an SMS got, as its carrier tells it afterwards (DEL-10)."""

    SENT = "sent", "The carrier's network has the SMS."
    DELIVERED = "delivered", "The SMS arrived on the phone."
    FAILED = "failed", "The SMS will not arrive."
