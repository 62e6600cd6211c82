"""Whose users are verified, and by which settings?"""

from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, LocaleTag, Ms, in_list, random_id


class AppMode(StrEnum):
    """Where an app's messages go."""

    SANDBOX = "sandbox"
    LIVE = "live"


class NumberTaken(StrEnum):
    """What a right code does when somebody else holds the number (design 5)."""

    REFUSE = "refuse"
    MOVE = "move"


class App(Base):
    """The tenant boundary: an application and its settings; its keys are in access_key.py."""

    __tablename__ = "app"
    __table_args__ = (
        CheckConstraint(in_list("mode", AppMode), name="mode"),
        CheckConstraint(in_list("number_taken", NumberTaken), name="number_taken"),
        CheckConstraint("code_length BETWEEN 4 AND 10", name="code_length"),
        CheckConstraint("code_life_s BETWEEN 60 AND 600", name="code_life_s"),
        CheckConstraint("guesses_allowed BETWEEN 1 AND 10", name="guesses_allowed"),
        CheckConstraint("sends_allowed BETWEEN 1 AND 10", name="sends_allowed"),
        CheckConstraint("most_segments BETWEEN 1 AND 6", name="most_segments"),
        CheckConstraint("web_domain IS NOT NULL OR NOT web_autofill", name="web_autofill_has_domain"),
        CheckConstraint("android_hash IS NOT NULL OR NOT android_autofill", name="android_autofill_has_hash"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    mode: Mapped[str] = mapped_column(String(16), default=AppMode.SANDBOX)
    provider: Mapped[str] = mapped_column(String(32), default="inbox")
    home_country: Mapped[str] = mapped_column(String(2))
    default_locale: Mapped[LocaleTag] = mapped_column(default="en")
    client_id: Mapped[str] = mapped_column(String(64), unique=True, default=random_id)
    created_at: Mapped[Ms]
    # Another one whenever something changes that models/app_revision.py names; None says nothing.
    revision: Mapped[Id | None] = mapped_column(default=random_id)

    phone_number_verification_required: Mapped[bool] = mapped_column(default=False)
    code_length: Mapped[int] = mapped_column(default=6)
    code_life_s: Mapped[int] = mapped_column(default=600)
    guesses_allowed: Mapped[int] = mapped_column(default=5)
    sends_allowed: Mapped[int] = mapped_column(default=5)
    number_taken: Mapped[str] = mapped_column(String(16), default=NumberTaken.REFUSE)
    notify_old_number: Mapped[bool] = mapped_column(default=True)
    most_segments: Mapped[int] = mapped_column(default=2)
    # Whether a change of an SMS template waits until another owner approves it.
    sms_templates_need_approval: Mapped[bool] = mapped_column(default=False)
    # Switched off, the domain and the hash stay, so that nobody has to look them up again.
    web_autofill: Mapped[bool] = mapped_column(default=False)
    web_domain: Mapped[str | None] = mapped_column(String(253))
    android_autofill: Mapped[bool] = mapped_column(default=False)
    android_hash: Mapped[str | None] = mapped_column(String(11))
    # ISO 4217; what the app's carriers charge in.
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    expose_full_user_data_to_others: Mapped[bool] = mapped_column(default=False)
    refresh_token_enabled: Mapped[bool] = mapped_column(default=False)
    default_token_life_s: Mapped[int] = mapped_column(BigInteger, default=2_147_483_640)
    max_token_life_s: Mapped[int] = mapped_column(BigInteger, default=2_147_483_640)


class OpenCountry(Base):
    """A country (by the number's region, not its calling code) that an app may text (ABU-04)."""

    __tablename__ = "open_country"

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
