"""The tables, one noun a file."""

from portal.models.access_key import AccessKey, KeyKind
from portal.models.account import Account
from portal.models.account_session import AccountSession
from portal.models.alarm import Alarm
from portal.models.app import App, AppMode, NumberTaken, OpenCountry
from portal.models.app_fence import fence_all, fenced
from portal.models.app_revision import revise_all
from portal.models.attempt_tally import AttemptTally
from portal.models.audit_chain import INSTALLATION, AuditChain
from portal.models.audit_entry import (
    CONCERNED,
    IS_OF_ACCOUNTS,
    OF_ACCOUNTS,
    ActorKind,
    AuditAction,
    AuditEntry,
)
from portal.models.audit_guard import LIFT_AUDIT_GUARD, SET_AUDIT_GUARD
from portal.models.base import INSERT, Base, random_id, table
from portal.models.bearer_token import BearerToken, TokenKind
from portal.models.database_timeline import DatabaseTimeline
from portal.models.erasure import Erasure, ErasureKind
from portal.models.idempotency_key import IdempotencyKey
from portal.models.invite import Invite
from portal.models.membership import Membership
from portal.models.message import Message, MessagePurpose, MessageState
from portal.models.password_reset import PasswordReset
from portal.models.periodic_job import PeriodicJob
from portal.models.provider import Provider
from portal.models.quarantine import Quarantine
from portal.models.receipt_tally import ReceiptTally
from portal.models.second_factor import Passkey, RecoveryCode, Totp
from portal.models.segment_price import SegmentPrice
from portal.models.sms_template import SmsTemplate, SmsTemplateDraft, SmsTemplateVersion
from portal.models.unmatched_receipt import UnmatchedReceipt
from portal.models.unreadable_receipt import UnreadableReceipt
from portal.models.user import User
from portal.models.user_number_part import is_ours
from portal.models.verification import PhoneNumberLimit, Verification
from portal.models.worker_beat import WorkerBeat

fence_all()
revise_all()

__all__ = [
    "CONCERNED",
    "INSERT",
    "INSTALLATION",
    "IS_OF_ACCOUNTS",
    "LIFT_AUDIT_GUARD",
    "OF_ACCOUNTS",
    "SET_AUDIT_GUARD",
    "AccessKey",
    "Account",
    "AccountSession",
    "ActorKind",
    "Alarm",
    "App",
    "AppMode",
    "AttemptTally",
    "AuditAction",
    "AuditChain",
    "AuditEntry",
    "Base",
    "BearerToken",
    "DatabaseTimeline",
    "Erasure",
    "ErasureKind",
    "IdempotencyKey",
    "Invite",
    "KeyKind",
    "Membership",
    "Message",
    "MessagePurpose",
    "MessageState",
    "NumberTaken",
    "OpenCountry",
    "Passkey",
    "PasswordReset",
    "PeriodicJob",
    "PhoneNumberLimit",
    "Provider",
    "Quarantine",
    "ReceiptTally",
    "RecoveryCode",
    "SegmentPrice",
    "SmsTemplate",
    "SmsTemplateDraft",
    "SmsTemplateVersion",
    "TokenKind",
    "Totp",
    "UnmatchedReceipt",
    "UnreadableReceipt",
    "User",
    "Verification",
    "WorkerBeat",
    "fenced",
    "is_ours",
    "random_id",
    "table",
]
