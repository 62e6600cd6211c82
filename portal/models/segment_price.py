"""What does one segment to a country cost an app?"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id


class SegmentPrice(Base):
    """The price that an owner pays for one segment to one country, in the app's currency."""

    __tablename__ = "segment_price"
    __table_args__ = (CheckConstraint("millionths BETWEEN 0 AND 1000000000000", name="millionths"),)

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    # Millionths of the currency's unit, so that no price is ever a rounded fraction.
    millionths: Mapped[int] = mapped_column(BigInteger)
