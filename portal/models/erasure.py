"""Who was erased, when? What is left of them: hashes that say whom a restored backup must not bring back."""

from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms, in_list


class ErasureKind(StrEnum):
    """What was erased from an app."""

    USER = "user"
    NUMBER = "number"


class Erasure(Base):
    """One user, or one number, that was erased from an app (PII-05).

    `number_hashes` holds HMAC-SHA-256 of numbers under keys outside the database (PII-06), never a number.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint(in_list("kind", ErasureKind), name="kind"),
        CheckConstraint("(kind = 'user') = (user_id IS NOT NULL)", name="names_its_user"),
        Index(None, "erased_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    # The user is gone, so there is no foreign key.
    user_id: Mapped[Id | None]
    number_hashes: Mapped[list[str]] = mapped_column(JSON)
    erased_at: Mapped[Ms]
