"""Who are an app's end users, and which numbers do they hold?"""

from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, validates

from portal.core import search_keys
from portal.core.number_places import place
from portal.models.base import E164, Base, Id, LocaleTag, Ms, Serial, sorted_by_code_point

_PENDING = "pending_phone_number IS NOT NULL"


def _newest(name: str, *columns: str, sqlite: str = "", postgresql: str = "") -> Index:
    """An index that gives an app's users of one sort in the order of their sign-up, which pages walk."""
    where: dict[str, Any] = {}
    if sqlite:
        where = {"sqlite_where": text(sqlite), "postgresql_where": text(postgresql or sqlite)}
    return Index(name, "app_id", *columns, "created_at", "serial", **where)


def _of_named(column: str) -> Index:
    """An index of those users alone who have something in a column; the others cost nothing."""
    where = text(f"{column} IS NOT NULL")
    return Index(f"ix_user_{column}", "app_id", column, sqlite_where=where, postgresql_where=where)


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
            postgresql_where=text("phone_number_verified AND phone_number IS NOT NULL"),
        ),
        UniqueConstraint("app_id", "id"),
        UniqueConstraint("app_id", "login_name"),
        UniqueConstraint("app_id", "email_address"),
        CheckConstraint(
            """(pending_phone_number IS NULL) = (pending_since IS NULL)
            AND (pending_phone_number IS NULL) = (pending_until IS NULL)""",
            name="pending_is_whole",
        ),
        CheckConstraint("phone_number IS NOT NULL OR NOT phone_number_verified", name="verified_has_number"),
        _newest("ix_user_created"),
        _newest("ix_user_phone_country", "phone_country"),
        _newest("ix_user_locale", "locale"),
        _newest("ix_user_disabled", sqlite="disabled = 1", postgresql="disabled"),
        # Not by the number itself: while few are known to have one, this would look as good as the index of
        # those numbers to whoever asks for one of them, and has to be read whole.
        _newest("ix_user_pending", sqlite="pending_until IS NOT NULL"),
        _newest(
            "ix_user_unverified",
            sqlite="phone_number IS NOT NULL AND phone_number_verified = 0",
            postgresql="phone_number IS NOT NULL AND NOT phone_number_verified",
        ),
        _of_named("display_name_key"),
        _of_named("display_name_key_turned"),
        Index("ix_user_phone_number", "app_id", "phone_number"),
        Index(
            "ix_user_pending_phone_number",
            "app_id",
            "pending_phone_number",
            sqlite_where=text(_PENDING),
            postgresql_where=text(_PENDING),
        ),
    )

    # SQLite's index of parts of numbers names rows by this number, which must outlive a VACUUM.
    serial: Mapped[Serial]
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    id: Mapped[Id]
    login_name: Mapped[str | None] = mapped_column(sorted_by_code_point(64))
    email_address: Mapped[str | None] = mapped_column(sorted_by_code_point(254))
    phone_number: Mapped[E164 | None]
    # Where the number in force belongs; `country` below is what the app's client said of the user.
    phone_country: Mapped[str | None] = mapped_column(String(3))
    phone_number_verified: Mapped[bool] = mapped_column(default=False)
    phone_number_verified_at: Mapped[Ms | None]
    # Set when another user took the number over (app setting number_taken = move, OTP-18).
    phone_number_superseded_at: Mapped[Ms | None]
    pending_phone_number: Mapped[E164 | None]
    pending_since: Mapped[Ms | None]
    pending_until: Mapped[Ms | None]
    password_hash: Mapped[str | None] = mapped_column(String(255))
    display_name: Mapped[str | None] = mapped_column(String(50))
    # What the portal's search compares, from the first word on and from the last one on.
    display_name_key: Mapped[str | None] = mapped_column(sorted_by_code_point(search_keys.LONGEST))
    display_name_key_turned: Mapped[str | None] = mapped_column(sorted_by_code_point(search_keys.LONGEST))
    country: Mapped[str | None] = mapped_column(String(2))
    locale: Mapped[LocaleTag | None]
    disabled: Mapped[bool] = mapped_column(default=False)
    custom_fields: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    created_at: Mapped[Ms]
    modified_at: Mapped[Ms]

    # Inside an app a user goes by its ID; the serial is for indexes.
    __mapper_args__ = {"primary_key": ["app_id", "id"]}

    @validates("phone_number")
    def _keep_country(self, _name: str, number: str | None) -> str | None:
        self.phone_country = place(number)
        return number

    @validates("display_name")
    def _keep_keys(self, _name: str, display_name: str | None) -> str | None:
        self.display_name_key, self.display_name_key_turned = search_keys.of_name(display_name)
        return display_name
