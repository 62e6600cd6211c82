"""How is a valid row made in one call? Each maker puts down its noun, and what that noun cannot be without.

Every maker takes the session first and any column by name, adds the row, flushes it and returns it.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, text
from sqlalchemy.orm import Session

from portal import clock
from portal.core.lifecycle import Purpose, State
from portal.core.provider_kinds import ProviderKind
from portal.core.roles import Role
from portal.models import (
    LIFT_AUDIT_GUARD,
    SET_AUDIT_GUARD,
    AccessKey,
    Account,
    AccountSession,
    ActorKind,
    Alarm,
    App,
    AttemptTally,
    AuditAction,
    AuditChain,
    AuditEntry,
    BearerToken,
    DatabaseTimeline,
    Erasure,
    IdempotencyKey,
    Invite,
    KeyKind,
    Membership,
    Message,
    MessagePurpose,
    MessageState,
    OpenCountry,
    Passkey,
    PasswordReset,
    PeriodicJob,
    PhoneNumberLimit,
    Provider,
    Quarantine,
    RecoveryCode,
    SegmentPrice,
    SmsTemplate,
    SmsTemplateDraft,
    SmsTemplateVersion,
    TokenKind,
    Totp,
    UnmatchedReceipt,
    UnreadableReceipt,
    User,
    Verification,
    WorkerBeat,
    random_id,
)

_count = itertools.count(1)

Row = TypeVar("Row")


def phone_number() -> str:
    """A Japanese mobile number that no other row has."""
    return f"+8190{10_000_000 + next(_count):08}"


def account(session: Session, **columns: Any) -> Account:
    """An account that can sign in with no password; `tests/cast.py` has people who can."""
    defaults = {"email": f"person{next(_count)}@example.com", "password": "!", "created_at": clock.now()}
    return _put(session, Account(**defaults | columns))


def account_session(session: Session, **columns: Any) -> AccountSession:
    """A browser session, signed in only with `account_id`."""
    times = {"created_at": clock.now(), "last_seen_at": clock.now()}
    return _put(session, AccountSession(**{"key_hash": random_id() * 2, "values": {}} | times | columns))


def app(session: Session, **columns: Any) -> App:
    """A sandbox app in Japan, with verification off, as every new app."""
    defaults = {"id": random_id(), "name": f"App {next(_count)}", "home_country": "JP"}
    return _put(session, App(**defaults | {"created_at": clock.now()} | columns))


def access_key(session: Session, **columns: Any) -> AccessKey:
    """A live ClientSecret that nobody knows."""
    defaults = {"id": random_id(), "kind": KeyKind.CLIENT_SECRET, "slot": 1, "key_hash": random_id() * 2}
    times = {"last4": "0000", "created_at": clock.now()}
    return _put(session, AccessKey(**_in_app(session, columns), **defaults | times | columns))


def membership(session: Session, **columns: Any) -> Membership:
    """Support of an app, both made where they are not given."""
    defaults = {"role": Role.SUPPORT, "created_at": clock.now()}
    if "account_id" not in columns:
        defaults["account_id"] = account(session).id
    return _put(session, Membership(**_in_app(session, columns), **defaults | columns))


def invite(session: Session, **columns: Any) -> Invite:
    """An open invite to support an app; the app and the inviter are made where they are not given."""
    times = {"created_at": clock.now(), "expires_at": clock.now() + 72 * clock.HOUR}
    named = {"email": f"guest{next(_count)}@example.com", "role": Role.SUPPORT, "key_hash": random_id() * 2}
    if "invited_by" not in columns:
        named["invited_by"] = account(session).id
    return _put(session, Invite(**_in_app(session, columns), **named | times | columns))


def totp(session: Session, **columns: Any) -> Totp:
    """An authenticator app in use, whose key nobody has."""
    return _put(
        session, Totp(**_of_account(session, columns), **{"sealed": b"", "confirmed_at": 1} | columns)
    )


def recovery_code(session: Session, **columns: Any) -> RecoveryCode:
    """A code that nobody knows."""
    return _put(
        session, RecoveryCode(**_of_account(session, columns), **{"code_hash": random_id() * 2} | columns)
    )


def passkey(session: Session, **columns: Any) -> Passkey:
    """A passkey that nothing can sign with."""
    keys = {"credential_id": random_id().encode(), "public_key": b"", "sign_count": 0, "transports": []}
    named = {"name": f"Passkey {next(_count)}", "created_at": clock.now()}
    return _put(session, Passkey(**_of_account(session, columns), **keys | named | columns))


def password_reset(session: Session, **columns: Any) -> PasswordReset:
    """A link that is good for half an hour."""
    defaults = {"key_hash": random_id() * 2, "expires_at": clock.now() + 30 * clock.MINUTE}
    return _put(session, PasswordReset(**_of_account(session, columns), **defaults | columns))


def attempt_tally(session: Session, **columns: Any) -> AttemptTally:
    """One try, in a window that is open."""
    defaults = {"subject": random_id() * 2, "tries": 1, "ends_at": clock.now() + clock.MINUTE}
    return _put(session, AttemptTally(**defaults | columns))


def open_country(session: Session, **columns: Any) -> OpenCountry:
    """One country that an app may text."""
    return _put(session, OpenCountry(**_in_app(session, columns), **{"country": "JP"} | columns))


def segment_price(session: Session, **columns: Any) -> SegmentPrice:
    """What one segment to one country costs an app: seven and a half cents."""
    defaults = {"country": "JP", "millionths": 75_000}
    return _put(session, SegmentPrice(**_in_app(session, columns), **defaults | columns))


def user(session: Session, **columns: Any) -> User:
    """A user with a login name and nothing else."""
    defaults: dict[str, Any] = {"id": random_id(), "login_name": f"user{next(_count)}"}
    defaults |= {"created_at": clock.now(), "modified_at": clock.now()}
    if columns.get("pending_phone_number"):
        defaults |= {"pending_since": clock.now(), "pending_until": clock.now() + clock.DAY}
    return _put(session, User(**_in_app(session, columns), **defaults | columns))


def bearer_token(session: Session, **columns: Any) -> BearerToken:
    """A user's token, good for an hour."""
    defaults = {"token_hash": random_id() * 2, "kind": TokenKind.USER, "created_at": clock.now()}
    return _of_user(session, BearerToken, defaults | {"expires_at": clock.now() + clock.HOUR}, columns)


def verification(session: Session, **columns: Any) -> Verification:
    """An open verification of a sign-up's number, its code good for ten minutes and not sent yet."""
    code = {"key_version": 1, "code_length": 6, "code_expires_at": clock.now() + 10 * clock.MINUTE}
    limits = {"guesses_allowed": 5, "sends_allowed": 5}
    defaults = {"id": random_id(), "purpose": Purpose.REGISTER, "phone_number": phone_number()}
    if columns.get("state", State.OPEN) != State.OPEN:
        defaults["ended_at"] = clock.now()
    return _of_user(session, Verification, defaults | code | limits | {"created_at": clock.now()}, columns)


def phone_number_limit(session: Session, **columns: Any) -> PhoneNumberLimit:
    """A number that was sent and guessed nothing."""
    defaults = {"number_hash": random_id() * 2, "touched_at": clock.now()}
    return _put(session, PhoneNumberLimit(**_in_app(session, columns), **defaults | columns))


def sms_template(session: Session, **columns: Any) -> SmsTemplate:
    """The template of one locale, with its first version."""
    times = {"created_at": clock.now(), "modified_at": clock.now()}
    template = SmsTemplate(
        **_in_app(session, columns), **{"locale": "en", "current_version": 1} | times | columns
    )
    version = {"locale": template.locale, "version": template.current_version}
    sms_template_version(session, app_id=template.app_id, **version)
    return _put(session, template)


def sms_template_version(session: Session, **columns: Any) -> SmsTemplateVersion:
    """One saved wording."""
    defaults = {"locale": "en", "version": 1, "body": "{app_name}: {code}", "created_at": clock.now()}
    return _put(session, SmsTemplateVersion(**_in_app(session, columns), **defaults | columns))


def sms_template_draft(session: Session, **columns: Any) -> SmsTemplateDraft:
    """One wording that waits for another owner."""
    defaults = {"locale": "en", "body": "{app_name}: {code}", "created_at": clock.now()}
    return _put(session, SmsTemplateDraft(**_in_app(session, columns), **defaults | columns))


def message(session: Session, **columns: Any) -> Message:
    """A queued verification message, with its user, verification and wording."""
    given = dict(columns)
    if given.get("purpose", MessagePurpose.VERIFICATION) == MessagePurpose.VERIFICATION:
        given = _with_verification(session, given)
    defaults = {"id": random_id(), "purpose": MessagePurpose.VERIFICATION, "locale": "en", "values": {}}
    defaults |= {
        "phone_number": phone_number(),
        "country": "JP",
        "due_at": clock.now(),
        "created_at": clock.now(),
    }
    if given.get("state") not in (None, MessageState.QUEUED, MessageState.SENDING):
        defaults["ended_at"] = clock.now()
    return _of_user(session, Message, defaults, given)


def audit_entry(session: Session, **columns: Any) -> AuditEntry:
    """An entry that Ringback made by itself."""
    defaults = {"at": clock.now(), "actor_kind": ActorKind.SYSTEM, "action": AuditAction.APP_CHANGED}
    return _put(session, AuditEntry(**_in_app(session, columns), **defaults | columns))


@contextmanager
def past_audit_guard(session: Session | Connection) -> Iterator[None]:
    """Lifts for a while what keeps audit entries as they are in the database, as an attacker would."""
    dialect = session.connection().dialect.name if isinstance(session, Session) else session.dialect.name
    for statement in LIFT_AUDIT_GUARD[dialect]:
        session.execute(text(statement))
    try:
        yield
    finally:
        for statement in SET_AUDIT_GUARD[dialect]:
            session.execute(text(statement))


def forget_audit_entries(session: Session) -> None:
    """Removes every entry."""
    with past_audit_guard(session):
        session.execute(delete(AuditEntry))


def audit_chain(session: Session, **columns: Any) -> AuditChain:
    """The chain of an app in which nothing is sealed yet; its seal is none."""
    app_id = columns.get("app_id") or app(session).id
    nothing = {"base_sequence": 0, "base_hash": "0" * 64, "head_sequence": 0, "head_hash": "0" * 64}
    defaults = {"id": app_id, "app_id": app_id, "sealed_at": clock.now(), "seal": "0" * 64}
    return _put(session, AuditChain(**nothing | defaults | columns))


def periodic_job(session: Session, **columns: Any) -> PeriodicJob:
    """A job that is due."""
    return _put(session, PeriodicJob(**{"name": f"job{next(_count)}", "due_at": clock.now()} | columns))


def provider(session: Session, **columns: Any) -> Provider:
    """A carrier of an app, without credentials."""
    at = next(_count)
    named = {"id": random_id(), "kind": ProviderKind.HTTP, "label": f"Carrier {at}", "position": at}
    times = {"created_at": clock.now(), "modified_at": clock.now()}
    return _put(session, Provider(**_in_app(session, columns), **named | times | columns))


def unmatched_receipt(session: Session, **columns: Any) -> UnmatchedReceipt:
    """One receipt of this hour that matched no message; its carrier is made where it is not given."""
    return _put(session, UnmatchedReceipt(**_tallied(session, columns)))


def unreadable_receipt(session: Session, **columns: Any) -> UnreadableReceipt:
    """One receipt of this hour that could not be read; its carrier is made where it is not given."""
    return _put(session, UnreadableReceipt(**{"trouble": "no_reference"} | _tallied(session, columns)))


def _tallied(session: Session, columns: dict[str, Any]) -> dict[str, Any]:
    if "provider_id" not in columns:
        columns["provider_id"] = provider(session, **{k: columns[k] for k in ("app_id",) if k in columns}).id
    columns.setdefault("app_id", session.get_one(Provider, columns["provider_id"]).app_id)
    defaults = {"hour": clock.now() - clock.now() % clock.HOUR, "receipts": 1, "last_at": clock.now()}
    return defaults | columns


def idempotency_key(session: Session, **columns: Any) -> IdempotencyKey:
    """A key whose call is under way."""
    hashes = {"key_hash": random_id() * 2, "request_hash": random_id() * 2}
    defaults = {"route": "resend", "created_at": clock.now()} | hashes
    return _put(session, IdempotencyKey(**_in_app(session, columns), **defaults | columns))


def erasure(session: Session, **columns: Any) -> Erasure:
    """A user who was erased, and had no number."""
    defaults = {"id": random_id(), "kind": "user", "user_id": random_id(), "number_hashes": []}
    return _put(
        session, Erasure(**_in_app(session, columns), **defaults | {"erased_at": clock.now()} | columns)
    )


def database_timeline(session: Session, **columns: Any) -> DatabaseTimeline:
    """A timeline that is remembered."""
    return _put(session, DatabaseTimeline(**{"id": 1, "name": "7/00000001"} | columns))


def worker_beat(session: Session, **columns: Any) -> WorkerBeat:
    """A worker that is alive."""
    defaults = {"id": random_id(), "started_at": clock.now(), "beat_at": clock.now()}
    return _put(session, WorkerBeat(**defaults | columns))


def alarm(session: Session, **columns: Any) -> Alarm:
    """An alarm that stands, and that nobody was told of."""
    return _put(
        session, Alarm(**{"name": f"alarm{next(_count)}", "level": "warn", "since": clock.now()} | columns)
    )


def quarantine(session: Session, **columns: Any) -> Quarantine:
    """The mark of a restored database."""
    times = {"since": clock.now(), "backup_at": clock.now()}
    return _put(session, Quarantine(**{"id": 1} | times | columns))


def _with_verification(session: Session, columns: dict[str, Any]) -> dict[str, Any]:
    if "verification_id" not in columns:
        own = {name: columns[name] for name in ("app_id", "user_id", "phone_number") if name in columns}
        found = verification(session, **own)
        number = {"phone_number": found.phone_number}
        ids = {"app_id": found.app_id, "user_id": found.user_id, "verification_id": found.id}
        columns = number | columns | ids | {"issue": found.issue}
    if "sms_template_version_id" not in columns:
        version = {"app_id": columns["app_id"], "version": next(_count)}
        columns = columns | {"sms_template_version_id": sms_template_version(session, **version).id}
    return columns


def _of_user(session: Session, kind: type[Row], defaults: dict[str, Any], columns: dict[str, Any]) -> Row:
    owner = {}
    if "user_id" not in columns:
        made = user(
            session, **_in_app(session, columns) | {k: columns[k] for k in ("app_id",) if k in columns}
        )
        owner = {"app_id": made.app_id, "user_id": made.id}
    return _put(session, kind(**defaults | columns | owner))


def _in_app(session: Session, columns: dict[str, Any]) -> dict[str, str]:
    return {} if "app_id" in columns else {"app_id": app(session).id}


def _of_account(session: Session, columns: dict[str, Any]) -> dict[str, str]:
    return {} if "account_id" in columns else {"account_id": account(session).id}


def _put(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
