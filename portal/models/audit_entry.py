"""Who did what to what, when and why?"""

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ColumnClause,
    ForeignKey,
    Index,
    String,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.closed_list import ClosedList
from portal.models.base import Base, Id, Ms, Serial, in_list


class ActorKind(StrEnum):
    """What kind of caller did a thing."""

    USER = "user"
    APP = "app"
    ADMIN = "admin"
    ACCOUNT = "account"
    OPERATOR = "operator"
    SYSTEM = "system"


class AuditAction(ClosedList):
    """What can be done, each with a sentence in the past tense."""

    APP_CREATED = "app.created", "Created the app"
    APP_CHANGED = "app.changed", "Changed the app's settings"
    KEY_ADDED = "key.added", "Added a new key beside the old one"
    KEY_ENDED = "key.ended", "Ended an old key"
    APP_SECRET_REGENERATED = "app.secret_regenerated", "Made a new ClientSecret and ended every token"
    APP_WENT_LIVE = "app.went_live", "Took the app live"
    APP_WENT_TO_SANDBOX = "app.went_to_sandbox", "Took the app back to the sandbox"
    PROVIDER_ADDED = "provider.added", "Added a provider"
    PROVIDER_CHANGED = "provider.changed", "Changed a provider"
    PROVIDER_SWITCHED_ON = "provider.switched_on", "Switched a provider on"
    PROVIDER_SWITCHED_OFF = "provider.switched_off", "Switched a provider off"
    PROVIDER_PAUSE_ENDED = "provider.pause_ended", "Ended a provider's pause by checking its credentials"
    PROVIDER_MOVED = "provider.moved", "Changed the order of the providers"
    PROVIDER_REMOVED = "provider.removed", "Removed a provider"
    MEMBER_INVITED = "member.invited", "Invited somebody to the team"
    INVITE_WITHDRAWN = "invite.withdrawn", "Withdrew an invite"
    MEMBER_JOINED = "member.joined", "Joined the team"
    MEMBER_CHANGED = "member.changed", "Changed a member's role"
    MEMBER_REMOVED = "member.removed", "Removed a member from the team"
    ACCOUNT_CREATED = "account.created", "Made an account"
    SIGNED_IN = "account.signed_in", "Signed in"
    SIGN_IN_FAILED = "account.sign_in_failed", "Gave a wrong password, code or passkey for an account"
    SIGNED_OUT = "account.signed_out", "Signed out"
    CONFIRMED = "account.confirmed", "Confirmed who they are once more"
    APP_REFUSED = "app.refused", "Asked for an app that is not theirs"
    LIMIT_HIT = "limit.hit", "Did something as often as allowed"
    SEALING_KEY_ADDED = "sealing_key.added", "Added a sealing key"
    SEALING_KEY_USED = "sealing_key.used", "Sealed secrets with the newest key"
    HASHING_KEY_ADDED = "hashing_key.added", "Added a hashing key"
    HASHING_KEYS_REMOVED = "hashing_keys.removed", "Removed old hashing keys"
    SEALING_KEYS_REMOVED = "sealing_keys.removed", "Removed old sealing keys"
    ACCOUNT_PASSWORD_CHANGED = "account.password_changed", "Changed the password of their account"
    SIGN_INS_ENDED = "account.sign_ins_ended", "Signed out of other browsers"
    ACCOUNT_PASSWORD_RESET = "account.password_reset", "Set a new password by a mailed link"
    AUTHENTICATOR_ADDED = "authenticator.added", "Added an authenticator app"
    AUTHENTICATOR_REMOVED = "authenticator.removed", "Removed their authenticator app"
    PASSKEY_ADDED = "passkey.added", "Added a passkey"
    PASSKEY_REMOVED = "passkey.removed", "Removed a passkey"
    RECOVERY_CODES_MADE = "recovery_codes.made", "Made new recovery codes"
    RECOVERY_CODE_USED = "recovery_code.used", "Used a recovery code"
    SMS_TEMPLATE_SAVED = "sms_template.saved", "Saved an SMS template"
    SMS_TEMPLATE_PROPOSED = "sms_template.proposed", "Proposed an SMS template"
    SMS_TEMPLATE_APPROVED = "sms_template.approved", "Approved an SMS template"
    SMS_TEMPLATE_DISCARDED = "sms_template.discarded", "Discarded a proposed SMS template"
    SMS_TEMPLATES_IMPORTED = "sms_templates.imported", "Imported SMS templates"
    SEGMENT_PRICES_CHANGED = "segment_prices.changed", "Changed what a segment costs"
    TEST_SENT = "test.sent", "Sent a test SMS"
    OWN_NUMBER_ASKED = "own_number.asked", "Asked for a code to their own number"
    OWN_NUMBER_CONFIRMED = "own_number.confirmed", "Confirmed their own number"
    OWN_NUMBER_FORGOTTEN = "own_number.forgotten", "Took their own number away"
    SMS_TEMPLATE_REMOVED = "sms_template.removed", "Removed an SMS template"
    USER_REGISTERED = "user.registered", "Registered"
    USER_UPDATED = "user.updated", "Changed the user's data"
    USER_DELETED = "user.deleted", "Deleted the user"
    USER_ERASED = "user.erased", "Erased the user"
    USER_DISABLED = "user.disabled", "Disabled the user"
    USER_ENABLED = "user.enabled", "Enabled the user"
    USER_PASSWORD_CHANGED = "user.password_changed", "Changed the password"
    NUMBER_SET = "number.set", "Set the phone number without a code"
    NUMBER_CHANGE_STARTED = "number.change_started", "Started a change of phone number"
    NUMBER_CHANGE_CANCELLED = "number.change_cancelled", "Cancelled the change of phone number"
    NUMBER_CHANGE_LAPSED = "number.change_lapsed", "The change of phone number was not finished in time"
    NUMBER_VERIFIED = "number.verified", "Verified the phone number"
    NUMBER_LOST = "number.lost", "Lost the phone number to its new holder"
    NUMBER_MARKED_VERIFIED = "number.marked_verified", "Marked the phone number as verified"
    NUMBER_FREED = "number.freed", "Freed the phone number"
    NUMBER_ERASED = "number.erased", "Erased a phone number"
    NUMBER_REVEALED = "number.revealed", "Revealed the phone number"
    NUMBER_LOOKED_UP = "number.looked_up", "Looked up a phone number"
    NUMBER_PART_TOLD = "number.part_told", "Found the user by hidden digits of the phone number"
    TOKENS_ENDED = "tokens.ended", "Ended the user's tokens"
    SEND_REFUSED = "send.refused", "Was refused an SMS"
    AUDIT_CHAIN_RESTARTED = "audit_chain.restarted", "Began the audit log's chain anew after it was broken"
    ERASURES_MARKED = "erasures.marked", "Began to mark each audit entry that an erasure empties"
    AUDIT_EXPORTED = "audit.exported", "Exported the audit log"
    CODE_RESENT = "code.resent", "Asked for the code again"
    MESSAGE_REDRIVEN = "message.redriven", "Had an SMS that was set aside tried again"
    CODE_RESET = "code.reset", "Replaced the code"
    CODE_WRONG = "code.wrong", "Sent a wrong code"
    CODE_EXHAUSTED = "code.exhausted", "Used up the guesses"


# What concerns the account that it names, or else the one that did it: sign-ins, proofs and memberships.
OF_ACCOUNTS: Final = (
    AuditAction.ACCOUNT_CREATED,
    AuditAction.SIGNED_IN,
    AuditAction.SIGNED_OUT,
    AuditAction.SIGN_IN_FAILED,
    AuditAction.CONFIRMED,
    AuditAction.SIGN_INS_ENDED,
    AuditAction.ACCOUNT_PASSWORD_CHANGED,
    AuditAction.ACCOUNT_PASSWORD_RESET,
    AuditAction.AUTHENTICATOR_ADDED,
    AuditAction.AUTHENTICATOR_REMOVED,
    AuditAction.PASSKEY_ADDED,
    AuditAction.PASSKEY_REMOVED,
    AuditAction.RECOVERY_CODES_MADE,
    AuditAction.RECOVERY_CODE_USED,
    AuditAction.MEMBER_JOINED,
    AuditAction.MEMBER_CHANGED,
    AuditAction.MEMBER_REMOVED,
)
# Both databases use the index below only for conditions that are spelled like it, values included.
IS_OF_ACCOUNTS: Final = text(in_list("action", OF_ACCOUNTS))
CONCERNED: Final[ColumnClause[str]] = literal_column("coalesce(details ->> 'account_id', actor_id)", String)

_BY_ACCOUNT = text("actor_kind = 'account'")
_UNSEALED, _SEALED = text("sequence IS NULL"), text("sequence IS NOT NULL")
_SEALED_OF_NO_APP = text("sequence IS NOT NULL AND app_id IS NULL")


class AuditEntry(Base):
    """One thing that was done. `details` never holds a code, a key or a full number."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint(in_list("actor_kind", ActorKind), name="actor_kind"),
        CheckConstraint(
            "(sequence IS NULL) = (hash IS NULL) AND (hash IS NULL) = (told_hash IS NULL)",
            name="sealed_is_whole",
        ),
        Index("ix_audit_entry_app", "app_id", "id"),
        Index("ix_audit_entry_user", "app_id", "user_id", "id"),
        # How often somebody did a thing lately: reveals and look-ups are capped for each person (TEN-08).
        Index(
            "ix_audit_entry_account",
            "actor_id",
            "action",
            "at",
            sqlite_where=_BY_ACCOUNT,
            postgresql_where=_BY_ACCOUNT,
        ),
        Index(
            "ix_audit_entry_of_account",
            CONCERNED,
            "id",
            sqlite_where=IS_OF_ACCOUNTS,
            postgresql_where=IS_OF_ACCOUNTS,
        ),
        Index("ix_audit_entry_unsealed", "id", sqlite_where=_UNSEALED, postgresql_where=_UNSEALED),
        # Entries of the installation have no app, and NULL is unlike NULL.
        Index(
            "uq_audit_entry_sequence",
            "app_id",
            "sequence",
            unique=True,
            sqlite_where=_SEALED,
            postgresql_where=_SEALED,
        ),
        Index(
            "uq_audit_entry_installation_sequence",
            "sequence",
            unique=True,
            sqlite_where=_SEALED_OF_NO_APP,
            postgresql_where=_SEALED_OF_NO_APP,
        ),
    )

    id: Mapped[Serial]
    # An audit entry outlives what it tells of, so there are no foreign keys to users and accounts.
    app_id: Mapped[Id | None] = mapped_column(ForeignKey("app.id", ondelete="CASCADE"))
    at: Mapped[Ms]
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[Id | None]
    action: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[Id | None]
    reason: Mapped[str | None] = mapped_column(String(300))
    details: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    # The place in the chain of its app, and the keyed hash over the entry and the one before it. A request
    # leaves all three empty; the job that seals fills them in seconds later (services/audit_sealing.py).
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[str | None] = mapped_column(String(64))
    # The keyed hash over reason and details, which an erasure empties while the chain still holds (PII-05).
    told_hash: Mapped[str | None] = mapped_column(String(64))
    # What an erasure leaves where it emptied the entry: only the key makes it (services/emptied_entries.py).
    emptied: Mapped[str | None] = mapped_column(String(128))
    # The keyed hash over this entry and its place alone, for where the one before it is gone; empty in what a
    # Ringback sealed that made none.
    own_hash: Mapped[str | None] = mapped_column(String(64))
