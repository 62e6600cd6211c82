"""Through which carriers do an app's messages leave? Their settings, sealed credentials and recent luck."""

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.provider_kinds import ProviderKind
from portal.models.base import Base, Id, Ms, in_list


class Provider(Base):
    """One outside carrier of an app. Messages go to the first in `position` that is on and not paused."""

    __tablename__ = "provider"
    __table_args__ = (
        UniqueConstraint("app_id", "id"),
        CheckConstraint(in_list("kind", ProviderKind), name="kind"),
        CheckConstraint("(sealed IS NULL) = (sealing_key_version IS NULL)", name="sealed_is_whole"),
        CheckConstraint("failures_in_row >= 0", name="failures_in_row"),
        Index("ix_provider_app", "app_id", "position"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    # What people call it; a carrier may be there twice.
    label: Mapped[str] = mapped_column(String(40))
    position: Mapped[int]
    is_on: Mapped[bool] = mapped_column(default=True)
    # What everybody who may open the page may read: sender, addresses, names of accounts.
    settings: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    # The credentials, which only a key outside the database opens (OPS-05).
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealing_key_version: Mapped[int | None]
    secret_last4: Mapped[str | None] = mapped_column(String(4))
    created_at: Mapped[Ms]
    modified_at: Mapped[Ms]
    # The circuit breaker: after so many failures in a row nothing is tried before `paused_until` (DEL-06).
    failures_in_row: Mapped[int] = mapped_column(default=0)
    paused_until: Mapped[Ms | None]
    last_success_at: Mapped[Ms | None]
    last_failure_at: Mapped[Ms | None]
    last_failure_reason: Mapped[str | None] = mapped_column(String(40))
