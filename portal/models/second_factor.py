"""What proves an account besides its password? An app on the phone, passkeys, recovery codes."""

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms, random_id


class Totp(Base):
    """The authenticator app of an account: its key, sealed by a key outside the database."""

    __tablename__ = "totp"

    account_id: Mapped[Id] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # None until the first code proved that the app on the phone knows the key.
    confirmed_at: Mapped[Ms | None]
    # The step (30 s of Unix time) of the last code that was taken; none of it or before is taken again.
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)


class RecoveryCode(Base):
    """One code for the day when the phone is gone; used, its row goes."""

    __tablename__ = "recovery_code"

    account_id: Mapped[Id] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class Passkey(Base):
    """A passkey (WebAuthn): the public half, and how often its authenticator says it signed."""

    __tablename__ = "passkey"
    __table_args__ = (Index(None, "account_id"),)

    id: Mapped[Id] = mapped_column(primary_key=True, default=random_id)
    account_id: Mapped[Id] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(JSON)
    name: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[Ms]
    last_used_at: Mapped[Ms | None]
