"""Where does an app's chain of audit entries begin, and where does it end? (PII-07)"""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, Id, Ms

# The chain of the entries that belong to no app: sign-ins, second factors, keys of the server.
INSTALLATION = "installation"
_WHOLE = (
    "(restart_sequence IS NULL) = (restarted_at IS NULL) AND (restarted_at IS NULL) = (kept_hash IS NULL)"
)


class AuditChain(Base):
    """The chain of one app, or of the installation: what was removed last, and what was sealed last.

    `seal` is a keyed hash over the row, so that whoever writes to the database can make none.
    """

    __tablename__ = "audit_chain"
    __table_args__ = (
        CheckConstraint(f"id = coalesce(app_id, '{INSTALLATION}')", name="is_of_one_app"),
        CheckConstraint("0 <= base_sequence AND base_sequence <= head_sequence", name="base_and_head"),
        CheckConstraint(_WHOLE, name="restart_is_whole"),
    )

    # The app's ID, or INSTALLATION.
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    app_id: Mapped[Id | None] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    # The last entry that went because it was too old; 0 as long as none did.
    base_sequence: Mapped[int] = mapped_column(BigInteger)
    base_hash: Mapped[str] = mapped_column(String(64))
    head_sequence: Mapped[int] = mapped_column(BigInteger)
    head_hash: Mapped[str] = mapped_column(String(64))
    # The newest entry that began the chain anew, when that was, and one keyed hash over all entries before
    # it that are still there; all three are empty where nobody had to (services/audit_restarts.py).
    restart_sequence: Mapped[int | None] = mapped_column(BigInteger)
    restarted_at: Mapped[Ms | None]
    kept_hash: Mapped[str | None] = mapped_column(String(64))
    # How that hash was made (core/audit_seals.py); empty where a Ringback did that knew one way only.
    kept_form: Mapped[int | None]
    sealed_at: Mapped[Ms]
    seal: Mapped[str] = mapped_column(String(64))
