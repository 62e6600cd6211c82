"""Which workers are alive? Each says so every few seconds."""

from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms


class WorkerBeat(Base):
    """One worker process; without a beat for a while it is taken for dead (OPS-02)."""

    __tablename__ = "worker_beat"

    id: Mapped[Id] = mapped_column(primary_key=True)
    started_at: Mapped[Ms]
    beat_at: Mapped[Ms]
