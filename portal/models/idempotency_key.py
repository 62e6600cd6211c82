"""Which calls were answered already? A repeated one is answered the same, and sends nothing (DEL-11)."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms

_HOLDS_A_USER = text("user_id IS NOT NULL")


class IdempotencyKey(Base):
    """One key that an app's client sent with one route. Without a status, its call is still under way."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        CheckConstraint("(status IS NULL) = (answer IS NULL)", name="answer_is_whole"),
        Index("ix_idempotency_key_created_at", "created_at"),
        # By this an erasure finds what was answered about a user (PII-05).
        Index(
            "ix_idempotency_key_user",
            "app_id",
            "user_id",
            sqlite_where=_HOLDS_A_USER,
            postgresql_where=_HOLDS_A_USER,
        ),
    )

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    route: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Hashes (SHA-256, hex): keys are the client's secrets, and bodies hold numbers (PII-02).
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    # The stored answer, sealed, since it may hold a user's token.
    answer: Mapped[bytes | None]
    # Whom the answer is about, so that it goes with them; written with it.
    user_id: Mapped[Id | None]
    created_at: Mapped[Ms]
