"""Which attempts to prove a phone number are there, and how did they end?"""

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.lifecycle import Purpose, State
from portal.models.base import E164, Base, Id, Ms, in_list

_OPEN = text("state = 'open'")


class Verification(Base):
    """One attempt of one user to prove one number: the life of one code, resends included."""

    __tablename__ = "verification"
    __table_args__ = (
        ForeignKeyConstraint(["app_id", "user_id"], ["user.app_id", "user.id"], ondelete="CASCADE"),
        CheckConstraint(in_list("state", State), name="state"),
        CheckConstraint(in_list("purpose", Purpose), name="purpose"),
        CheckConstraint("guesses BETWEEN 0 AND 10", name="guesses"),
        CheckConstraint("sends BETWEEN 0 AND 10", name="sends"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
        # A user proves one number at a time; a second open attempt cannot be written.
        Index(
            "uq_verification_open",
            "app_id",
            "user_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_verification_user", "app_id", "user_id", "created_at"),
        Index(
            "ix_verification_open_number",
            "app_id",
            "phone_number",
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_verification_ended_at", "ended_at"),
    )

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[Id] = mapped_column(primary_key=True)
    user_id: Mapped[Id]
    phone_number: Mapped[E164]
    # What the number's limits were known by when this began, so that one statement finds both (PII-06).
    number_hash: Mapped[str | None] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default=State.OPEN)
    # The code is derived from (server key of this version, id, issue); see core/code.py.
    key_version: Mapped[int]
    issue: Mapped[int] = mapped_column(default=1)
    code_length: Mapped[int]
    code_expires_at: Mapped[Ms]
    guesses: Mapped[int] = mapped_column(default=0)
    guesses_allowed: Mapped[int]
    sends: Mapped[int] = mapped_column(default=0)
    sends_allowed: Mapped[int]
    last_sent_at: Mapped[Ms | None]
    created_at: Mapped[Ms]
    ended_at: Mapped[Ms | None]


class PhoneNumberLimit(Base):
    """What one number was sent and guessed lately in one app. Its row is the number's lock."""

    __tablename__ = "phone_number_limit"

    app_id: Mapped[Id] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"), primary_key=True)
    # An HMAC of the number (PII-06); core/number_hashes.py makes it.
    number_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # The newest version of the hashing key that its last writer knew: the same stands under that one too.
    key_version: Mapped[int] = mapped_column(default=1)
    # Times (ms) within the last day, comma separated, oldest first; core/limits.py reads and writes them.
    sent_times: Mapped[str] = mapped_column(default="")
    failed_guess_times: Mapped[str] = mapped_column(default="")
    touched_at: Mapped[Ms] = mapped_column(index=True)
