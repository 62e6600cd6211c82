"""Which browser is signed in? Server-side portal sessions (WEB-01)."""

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms, random_id


class AccountSession(Base):
    """One browser session. Its cookie holds a random key, the row only that key's SHA-256."""

    __tablename__ = "account_session"
    __table_args__ = (Index(None, "account_id"), Index(None, "last_seen_at"))

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # What the account's own page names the session by.
    id: Mapped[Id] = mapped_column(default=random_id, unique=True)
    account_id: Mapped[Id | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    values: Mapped[dict[str, object]] = mapped_column(JSON)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[Ms]
    last_seen_at: Mapped[Ms]
    # When its person last proved who they are; signing in counts (WEB-09).
    confirmed_at: Mapped[Ms | None]
