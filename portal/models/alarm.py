"""What needs an operator? Alarms that stand, and what the operator was told of them."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Ms


class Alarm(Base):
    """One alarm that stands now, by its name and what it is about; gone once it is over (OPS-02)."""

    __tablename__ = "alarm"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    # The id of a provider or an app; empty for the installation.
    about: Mapped[str] = mapped_column(String(36), primary_key=True, default="")
    level: Mapped[str] = mapped_column(String(8))
    since: Mapped[Ms]
    # The level that the webhook told last; None before it told anything.
    told_level: Mapped[str | None] = mapped_column(String(8))
    told_at: Mapped[Ms | None]
