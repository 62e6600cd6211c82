"""What do an app's SMS say, in which locale, and what did they say before?"""

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, LocaleTag, Ms, Serial, random_id


class SmsTemplate(Base):
    """The wording of the verification SMS in one locale; `current_version` names the one in force."""

    __tablename__ = "sms_template"

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[LocaleTag] = mapped_column(primary_key=True)
    current_version: Mapped[int]
    created_at: Mapped[Ms]
    modified_at: Mapped[Ms]


class SmsTemplateVersion(Base):
    """One saved wording. Never changed: a queued message keeps the version that it was queued with.

    It outlives its template on purpose, so that removing a locale strands no message.
    """

    __tablename__ = "sms_template_version"
    __table_args__ = (
        UniqueConstraint("app_id", "locale", "version"),
        Index(None, "app_id", "id", unique=True),
    )

    id: Mapped[Serial]
    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    locale: Mapped[LocaleTag]
    version: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Ms]
    created_by: Mapped[Id | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    # The second owner, where the app asks for one.
    approved_by: Mapped[Id | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class SmsTemplateDraft(Base):
    """A wording that waits for another owner's approval; one for each locale, the newest one."""

    __tablename__ = "sms_template_draft"

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    locale: Mapped[LocaleTag] = mapped_column(primary_key=True)
    # A new one with each save, so that nobody approves what they have not seen.
    id: Mapped[Id] = mapped_column(unique=True, default=random_id)
    body: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[Ms]
    created_by: Mapped[Id | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
