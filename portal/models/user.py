"""Who are an app's end users, and which numbers do they hold?"""

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import E164, Base, Id, LocaleTag, Ms, sorted_by_code_point

_VERIFIED = text("phone_number_verified AND phone_number IS NOT NULL")


class User(Base):
    """An end user of one app. `phone_number` is in force, `pending_phone_number` waits for its code."""

    __tablename__ = "user"
    __table_args__ = (
        # A number verified by two users cannot be written, whatever the code above does (DAT-06).
        Index(
            "uq_user_verified_phone_number",
            "app_id",
            "phone_number",
            unique=True,
            sqlite_where=text("phone_number_verified = 1 AND phone_number IS NOT NULL"),
            postgresql_where=_VERIFIED,
        ),
        Index("ix_user_display_name", "app_id", "display_name"),
        UniqueConstraint("app_id", "login_name"),
        UniqueConstraint("app_id", "email_address"),
        CheckConstraint(
            """(pending_phone_number IS NULL) = (pending_since IS NULL)
            AND (pending_phone_number IS NULL) = (pending_until IS NULL)""",
            name="pending_is_whole",
        ),
        CheckConstraint("phone_number IS NOT NULL OR NOT phone_number_verified", name="verified_has_number"),
        Index("ix_user_created", "app_id", "created_at", "id"),
        Index("ix_user_locale", "app_id", "locale"),
        Index("ix_user_phone_number", "app_id", "phone_number"),
        Index("ix_user_phone_number_reversed", "app_id", "phone_number_reversed"),
        Index(
            "ix_user_pending_phone_number",
            "app_id",
            "pending_phone_number",
            sqlite_where=text("pending_phone_number IS NOT NULL"),
            postgresql_where=text("pending_phone_number IS NOT NULL"),
        ),
        Index(
            "ix_user_pending_phone_number_reversed",
            "app_id",
            "pending_phone_number_reversed",
            sqlite_where=text("pending_phone_number_reversed IS NOT NULL"),
            postgresql_where=text("pending_phone_number_reversed IS NOT NULL"),
        ),
    )

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    login_name: Mapped[str | None] = mapped_column(sorted_by_code_point(64))
    email_address: Mapped[str | None] = mapped_column(sorted_by_code_point(254))
    phone_number: Mapped[E164 | None]
    phone_number_reversed: Mapped[E164 | None]
    phone_number_verified: Mapped[bool] = mapped_column(default=False)
    phone_number_verified_at: Mapped[Ms | None]
    # Set when another user took the number over (app setting number_taken = move, OTP-18).
    phone_number_superseded_at: Mapped[Ms | None]
    pending_phone_number: Mapped[E164 | None]
    pending_phone_number_reversed: Mapped[E164 | None]
    pending_since: Mapped[Ms | None]
    pending_until: Mapped[Ms | None]
    password_hash: Mapped[str | None] = mapped_column(String(255))
    display_name: Mapped[str | None] = mapped_column(String(50))
    country: Mapped[str | None] = mapped_column(String(2))
    locale: Mapped[LocaleTag | None]
    disabled: Mapped[bool] = mapped_column(default=False)
    custom_fields: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    created_at: Mapped[Ms]
    modified_at: Mapped[Ms]
