"""When did which periodic job run, and who runs it now?"""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms


class PeriodicJob(Base):
    """The lease of one job of the timetable, so that one of many workers runs it."""

    __tablename__ = "periodic_job"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[Ms]
    lease: Mapped[Id | None]
