"""What may an account do in which app?"""

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.roles import Role
from portal.models.base import Base, Id, Ms, in_list


class Membership(Base):
    """An account's role in one app."""

    __tablename__ = "membership"
    __table_args__ = (CheckConstraint(in_list("role", Role), name="role"),)

    account_id: Mapped[Id] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Ms]
