"""Which bearer tokens are good, and for whom?"""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms, in_list


class TokenKind(StrEnum):
    """What a token may be used as."""

    USER = "user"
    ADMIN = "admin"
    ANONYMOUS = "anonymous"
    REFRESH = "refresh"


class BearerToken(Base):
    """An opaque token; only its SHA-256 (hex) is kept. A void token is a deleted row."""

    __tablename__ = "bearer_token"
    __table_args__ = (
        CheckConstraint(in_list("kind", TokenKind), name="kind"),
        CheckConstraint(
            "(kind IN ('user', 'refresh')) = (user_id IS NOT NULL)", name="user_tokens_have_users"
        ),
        ForeignKeyConstraint(["app_id", "user_id"], ["user.app_id", "user.id"], ondelete="CASCADE"),
        # Whoever ends a key ends what was got with it, so a token of an app's own software names its key.
        CheckConstraint("kind <> 'admin' OR access_key_id IS NOT NULL", name="admin_tokens_have_keys"),
        ForeignKeyConstraint(
            ["app_id", "access_key_id"], ["access_key.app_id", "access_key.id"], ondelete="CASCADE"
        ),
        Index(None, "app_id", "user_id"),
        Index(None, "expires_at"),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    user_id: Mapped[Id | None]
    access_key_id: Mapped[Id | None]
    kind: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[Ms]
    created_at: Mapped[Ms]
