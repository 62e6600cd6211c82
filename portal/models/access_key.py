"""By which keys does an app's own software come in?"""

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms, in_list


class KeyKind(StrEnum):
    """What a key opens: AppKeys stand in clients and are public, ClientSecrets make administrators."""

    APP_KEY = "app_key"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a kind


_IS_LIVE = text("ended_at IS NULL")


class AccessKey(Base):
    """One key of an app. Of each kind two are live at most, so that one replaces the other without haste.

    An ended key stays, so that an AppKey which was ended is known from one that nobody ever made.
    """

    __tablename__ = "access_key"
    __table_args__ = (
        CheckConstraint(in_list("kind", KeyKind), name="kind"),
        CheckConstraint("slot IN (1, 2)", name="slot"),
        CheckConstraint("(kind = 'app_key') = (value IS NOT NULL)", name="only_public_keys_are_readable"),
        UniqueConstraint("app_id", "id"),
        UniqueConstraint("app_id", "kind", "key_hash"),
        # Two slots, each for one live key: the database counts them, whoever adds at once (TEN-07).
        Index(
            "ix_access_key_live",
            "app_id",
            "kind",
            "slot",
            unique=True,
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    slot: Mapped[int]
    # SHA-256 (hex); `value` is the key itself, where it is public anyway.
    key_hash: Mapped[str] = mapped_column(String(64))
    value: Mapped[str | None] = mapped_column(String(64))
    last4: Mapped[str] = mapped_column(String(4))
    # None for what the command line made.
    created_by: Mapped[Id | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[Ms]
    # The first moment of the day (UTC): one write a day, not one a request.
    last_used_on: Mapped[Ms | None]
    ended_at: Mapped[Ms | None]
