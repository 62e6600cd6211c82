"""Which life of a PostgreSQL server was this database last seen in (DAT-03)?"""

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Ms


class DatabaseTimeline(Base):
    """The one row that remembers the server's timeline, which changes whenever a standby takes over."""

    __tablename__ = "database_timeline"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # The server's own number, and its timeline: `7300000000000000000/00000001`.
    name: Mapped[str] = mapped_column(String(40))
    # When another timeline was found than the one before; None as long as none ever was.
    switched_at: Mapped[Ms | None]
