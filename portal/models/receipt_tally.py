"""How are receipts counted that are not kept? By carrier and hour."""

from sqlalchemy import CheckConstraint, Constraint, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from portal.models.base import Id, Ms


class ReceiptTally:
    """What tables of counted receipts share: one a carrier, hour and kind, of 25 hours at most."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Constraint, ...]:  # noqa: N805 - SQLAlchemy gives the class
        """The carrier is one of the app's own, and takes its rows along."""
        return (
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
