"""Who asked for a new password, and by which link may it be set?"""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms


class PasswordReset(Base):
    """The one link of an account that is good now; the row holds only its key's SHA-256.

    An address without an account leaves a row as well, of an account that is not there: what an answer costs
    tells nobody who has one (ENU-02). So there is no foreign key, whose check would cost only some.
    """

    __tablename__ = "password_reset"

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[Id] = mapped_column(unique=True)
    expires_at: Mapped[Ms]
