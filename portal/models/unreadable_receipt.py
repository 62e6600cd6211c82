"""How many receipts of a carrier could not be read lately, and what was missing in them?"""

from sqlalchemy import CheckConstraint, Constraint, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from portal.core.receipt_troubles import ReceiptTrouble
from portal.models.base import Base, in_list
from portal.models.receipt_tally import ReceiptTally


class UnreadableReceipt(ReceiptTally, Base):
    """The receipts of one hour that arrived and did not fit their description (DEL-10).

    They are counted by what was missing and not kept: nothing that one said stands anywhere.
    """

    __tablename__ = "unreadable_receipt"

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Constraint, ...]:  # noqa: N805 - SQLAlchemy gives the class
        """As of all tallies, and what was missing is of the closed list."""
        return (*super().__table_args__, CheckConstraint(in_list("trouble", ReceiptTrouble), name="trouble"))

    # The last part of the key, after those of all tallies.
    trouble: Mapped[str] = mapped_column(String(16), primary_key=True, sort_order=1)
