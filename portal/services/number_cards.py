"""Which number of a user waits, since when and by whom, and how does its code fare?"""

from dataclasses import dataclass

from sqlalchemy import and_, func, select

from portal.core import locales, waiting_numbers
from portal.models import (
    Account,
    ActorKind,
    AuditAction,
    AuditEntry,
    Message,
    SmsTemplate,
    User,
    Verification,
)
from portal.services.app_settings import AppSettings
from portal.services.context import Context

# Marks further back than so many entries of the user are no news to anybody.
LOOKED_THROUGH = 500

# After these a user's numbers have come to rest, whatever was asked for before.
SETTLING = (
    AuditAction.NUMBER_SET,
    AuditAction.NUMBER_VERIFIED,
    AuditAction.NUMBER_MARKED_VERIFIED,
    AuditAction.NUMBER_CHANGE_CANCELLED,
    AuditAction.NUMBER_CHANGE_LAPSED,
    AuditAction.NUMBER_FREED,
    AuditAction.NUMBER_LOST,
)
_MARKS = (*SETTLING, AuditAction.NUMBER_CHANGE_STARTED, AuditAction.SEND_REFUSED)


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest audit entry of one action about a user; `email` where an account of the portal did it."""

    action: str
    at: int
    actor_kind: str
    email: str | None
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class Wording:
    """The SMS template that a user gets: its locale and the version in force."""

    locale: str
    version: int


@dataclass(frozen=True, slots=True)
class NumberCard:
    """What is known of a user's numbers at `now` (Unix ms)."""

    user: User
    now: int
    verification: Verification | None
    # The newest SMS of that verification, and how many were put down for it.
    message: Message | None
    messages: int
    marks: dict[str, Mark]
    wording: Wording

    @property
    def pending(self) -> str | None:
        """The number that is to replace the one in force, while its day lasts."""
        user = self.user
        return waiting_numbers.pending(user.pending_phone_number, user.pending_until, self.now)

    @property
    def waiting(self) -> str | None:
        """The number whose code is wanted: the pending one, else the unverified one of the sign-up."""
        user = self.user
        return waiting_numbers.waiting(user.phone_number, user.phone_number_verified, self.pending)

    @property
    def attempt(self) -> Verification | None:
        """The newest verification, where it is about the number that waits."""
        verification = self.verification
        is_about_it = verification is not None and verification.phone_number == self.waiting
        return verification if is_about_it else None

    @property
    def failed_sends(self) -> int:
        """How many sends of the code for the waiting number failed, and so were given back."""
        return max(0, self.messages - self.attempt.sends) if self.attempt is not None else 0

    @property
    def started(self) -> Mark | None:
        """Who started the change that waits."""
        mark = self.marks.get(AuditAction.NUMBER_CHANGE_STARTED)
        return mark if mark is not None and self.pending and mark.at == self.user.pending_since else None


def load(ctx: Context, app: AppSettings, user: User) -> NumberCard:
    """The card of a user of the app of `ctx`."""
    verification = _newest_verification(ctx, user.id)
    message, messages = _newest_message(ctx, verification.id) if verification else (None, 0)
    wording = _wording(ctx, app, user.locale)
    return NumberCard(user, ctx.now, verification, message, messages, _marks(ctx, user.id), wording)


def _newest_verification(ctx: Context, user_id: str) -> Verification | None:
    return ctx.session.scalar(
        select(Verification)
        .where(Verification.app_id == ctx.app_id, Verification.user_id == user_id)
        # Two of one millisecond: the open one is the newer one.
        .order_by(Verification.created_at.desc(), Verification.ended_at.is_not(None))
        .limit(1)
    )


def _newest_message(ctx: Context, verification_id: str) -> tuple[Message | None, int]:
    """The newest SMS of a verification, and how many it has: as many as it may be sent, and failed ones."""
    found = ctx.session.execute(
        select(Message, func.count().over())
        .where(Message.app_id == ctx.app_id, Message.verification_id == verification_id)
        .order_by(Message.serial.desc())
        .limit(1)
    ).first()
    return (None, 0) if found is None else (found[0], found[1])


def _marks(ctx: Context, user_id: str) -> dict[str, Mark]:
    recent = (
        select(AuditEntry.id, AuditEntry.action)
        .where(AuditEntry.app_id == ctx.app_id, AuditEntry.user_id == user_id)
        .order_by(AuditEntry.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    newest = select(func.max(recent.c.id)).where(recent.c.action.in_(_MARKS)).group_by(recent.c.action)
    did_it = and_(Account.id == AuditEntry.actor_id, AuditEntry.actor_kind == ActorKind.ACCOUNT)
    rows = ctx.session.execute(
        select(AuditEntry.action, AuditEntry.at, AuditEntry.actor_kind, Account.email, AuditEntry.details)
        .outerjoin(Account, did_it)
        .where(AuditEntry.id.in_(newest))
    )
    return {row.action: Mark(*row) for row in rows}


def _wording(ctx: Context, app: AppSettings, locale: str | None) -> Wording:
    rows = ctx.session.execute(
        select(SmsTemplate.locale, SmsTemplate.current_version).where(SmsTemplate.app_id == ctx.app_id)
    )
    offered = {row.locale: row.current_version for row in rows}
    chosen = locales.choose(locale, offered, app.default_locale)
    return Wording(chosen, offered[chosen])
