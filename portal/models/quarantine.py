"""Was this database restored from a backup that nobody has looked at yet (DAT-05)?"""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Ms


class Quarantine(Base):
    """The one row that keeps a restored database from sending, until an operator opens it."""

    __tablename__ = "quarantine"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[Ms]
    backup_at: Mapped[Ms]
