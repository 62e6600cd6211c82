"""How many receipts of a carrier matched no message lately?"""

from portal.models.base import Base
from portal.models.receipt_tally import ReceiptTally


class UnmatchedReceipt(ReceiptTally, Base):
    """The receipts of one hour that a carrier sent about no message of its own (DEL-10).

    They are counted and not kept: no reference, text or number of theirs stands anywhere.
    """

    __tablename__ = "unmatched_receipt"
