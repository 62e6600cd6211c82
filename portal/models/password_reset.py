"""Who asked for a new password, and by which link may it be set?"""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms


class PasswordReset(Base):
    """The one link of an account that is good now; the row holds only its key's SHA-256."""

    __tablename__ = "password_reset"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), unique=True)
    expires_at: Mapped[Ms]
