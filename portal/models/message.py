"""Which SMS were put down to be sent, and how did they fare? The outbox."""

from enum import StrEnum

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import E164, Base, Id, LocaleTag, Ms, Serial, in_list


class MessageState(StrEnum):
    """How far a message got. Only queued and sending are under way."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    # Set aside after it failed or killed its worker too often; tried again only by a person's word (DEL-08).
    DEAD = "dead"


class MessagePurpose(StrEnum):
    """What a message is for."""

    VERIFICATION = "verification"
    CHANGE_NOTICE = "change_notice"
    TEST = "test"
    OWN_NUMBER = "own_number"


_UNDER_WAY = text("state IN ('queued', 'sending')")
_NOT_SENT = text("state IN ('failed', 'expired', 'dead')")
_SET_ASIDE = text("state = 'dead'")
_HANDED_OVER = text("provider_id IS NOT NULL AND provider_reference IS NOT NULL")


class Message(Base):
    """One SMS to one number. It names its wording and values; the text is made when it is sent."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("id"),
        ForeignKeyConstraint(["app_id", "user_id"], ["user.app_id", "user.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["app_id", "verification_id"], ["verification.app_id", "verification.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["app_id", "sms_template_version_id"], ["sms_template_version.app_id", "sms_template_version.id"]
        ),
        CheckConstraint(in_list("state", MessageState), name="state"),
        CheckConstraint(in_list("purpose", MessagePurpose), name="purpose"),
        CheckConstraint("(user_id IS NULL) = (purpose IN ('test', 'own_number'))", name="somebody_gets_it"),
        CheckConstraint(
            """(purpose = 'verification')
            = (verification_id IS NOT NULL AND sms_template_version_id IS NOT NULL)""",
            name="verification_is_whole",
        ),
        Index("ix_message_due", "due_at", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
        # By this each app gets its turn, and its longest waiting message leaves first (DEL-09).
        Index("ix_message_turn", "app_id", "due_at", sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY),
        Index("ix_message_app", "app_id", "serial"),
        Index(
            "ix_message_not_sent",
            "app_id",
            "serial",
            sqlite_where=_NOT_SENT,
            postgresql_where=_NOT_SENT,
        ),
        # By this whoever watches finds what was set aside lately (DEL-08).
        Index("ix_message_dead", "ended_at", sqlite_where=_SET_ASIDE, postgresql_where=_SET_ASIDE),
        # By this a receipt finds its message (DEL-10).
        Index(
            "ix_message_reference",
            "provider_id",
            "provider_reference",
            sqlite_where=_HANDED_OVER,
            postgresql_where=_HANDED_OVER,
        ),
        Index("ix_message_user", "app_id", "user_id", "serial"),
        Index("ix_message_account", "account_id", "created_at"),
        Index("ix_message_verification", "app_id", "verification_id"),
    )

    serial: Mapped[Serial]
    id: Mapped[Id]
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    user_id: Mapped[Id | None]
    # Who asked for a test, and gets it.
    account_id: Mapped[Id | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    phone_number: Mapped[E164]
    # Where the number belongs, for lists that are narrowed to a country.
    country: Mapped[str] = mapped_column(String(3))
    purpose: Mapped[str] = mapped_column(String(16))
    locale: Mapped[LocaleTag]
    sms_template_version_id: Mapped[Ms | None]
    values: Mapped[dict[str, str]] = mapped_column(JSON)
    verification_id: Mapped[Id | None]
    # The issue of the code that was really sent, so that the sandbox inbox can show that very text.
    issue: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16), default=MessageState.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(40))
    provider: Mapped[str | None] = mapped_column(String(32))
    # Which of the app's carriers; it may be gone while its messages are kept, so there is no foreign key.
    provider_id: Mapped[Id | None]
    provider_reference: Mapped[str | None] = mapped_column(String(128))
    provider_words: Mapped[str | None] = mapped_column(String(300))
    attempts: Mapped[int] = mapped_column(default=0)
    # How many attempts may have sent the SMS although no answer said so (DEL-07).
    unsure_attempts: Mapped[int] = mapped_column(default=0)
    # When its hand-over to a carrier began, as long as nobody noted what came of it (DEL-03).
    handed_over_at: Mapped[Ms | None]
    due_at: Mapped[Ms]
    lease: Mapped[Id | None]
    created_at: Mapped[Ms]
    # When a person had it tried again after it was set aside; limits count it at that time then (DEL-08).
    redriven_at: Mapped[Ms | None]
    sent_at: Mapped[Ms | None]
    ended_at: Mapped[Ms | None]

    @property
    def is_in_inbox(self) -> bool:
        """Whether it went to the Inbox page of a sandbox, and so to no phone."""
        return self.provider == "inbox"
