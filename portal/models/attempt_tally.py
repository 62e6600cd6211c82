"""How often was something tried lately?"""

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Ms


class AttemptTally(Base):
    """Tries at one thing of one person in one window of time (WEB-09).

    `subject` is a keyed hash (PII-06), of an address nobody has an account for too, so that the table tells
    nothing. Where codes are sprayed in an app it names the app, which is nobody's secret (OTP-06).
    """

    __tablename__ = "attempt_tally"
    __table_args__ = (CheckConstraint("tries >= 1", name="tries"), Index(None, "ends_at"))

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The newest version of the hashing key that this count stands under; none for an app that is sprayed.
    key_version: Mapped[int | None]
    tries: Mapped[int]
    ends_at: Mapped[Ms]
