"""Who was asked to join an app, and has not come yet?"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.roles import Role
from portal.models.base import Base, Id, Ms, in_list, random_id


class Invite(Base):
    """An open invite; whoever accepts, withdraws or replaces it deletes the row (TEN-08).

    The mailed link holds a random key, the row only that key's SHA-256.
    """

    __tablename__ = "invite"
    __table_args__ = (
        CheckConstraint(in_list("role", Role), name="role"),
        UniqueConstraint("app_id", "email"),
        Index(None, "invited_by"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True, default=random_id)
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[Id] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    created_at: Mapped[Ms]
    expires_at: Mapped[Ms]
