"""How many receipts of a carrier matched no message lately?"""

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms


class UnmatchedReceipt(Base):
    """The receipts of one hour that a carrier sent about no message of its own (DEL-10).

    They are counted and not kept: no reference, text or number of theirs stands anywhere. A carrier has a row
    for each of the last 25 hours at most.
    """

    __tablename__ = "unmatched_receipt"
    __table_args__ = (
        ForeignKeyConstraint(
            ["app_id", "provider_id"], ["provider.app_id", "provider.id"], ondelete="CASCADE"
        ),
        CheckConstraint("receipts >= 1", name="receipts"),
    )

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    provider_id: Mapped[Id] = mapped_column(primary_key=True)
    # When the hour began.
    hour: Mapped[Ms] = mapped_column(primary_key=True)
    receipts: Mapped[int]
    last_at: Mapped[Ms]
