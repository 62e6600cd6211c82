"""How does support help a user? Each deed: its locks, what it changes, one audit entry with the reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from portal.core import deed_details, deed_stamps, typed_reason
from portal.core.deeds import HELD, Deed, Facts, obstacle
from portal.core.lifecycle import Event
from portal.errors import AlreadyExists, BadInput, NotSupported
from portal.models import AuditAction
from portal.services import (
    attempts,
    audit,
    erasures,
    number_holders,
    phone_number_limits,
    phone_numbers,
    support_facts,
    tokens,
    user_numbers,
    users,
    verifications,
)
from portal.services.context import Context

REASON_FIELD = "reason"


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants done to a user. `seen` is the stamp of what they were shown, None for no check."""

    deed: Deed
    user_id: str
    reason: str
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """An order that may be carried out, and the user as it is under the locks."""

    deed: Deed
    user_id: str
    facts: Facts
    reason: str

    @property
    def details(self) -> deed_details.Details:
        return deed_details.of(self.deed, self.facts)


def do(ctx: Context, order: Order) -> Facts:
    """Carries an order out, and returns the user as it was just before: how many tokens ended, say.

    No deed lifts a limit on guesses or sends (TEN-08). Raises NotFound, BadInput for the typed reason or for
    a number that may not be texted, TooSoon, Overtaken when what was shown is no longer so, and NotSupported
    when the deed makes no sense by now.
    """
    reason = typed(order.reason)
    facts = _locked(ctx, order)
    hindered = obstacle(order.deed, facts)
    if hindered is not None:
        raise NotSupported(hindered)
    case = _Case(order.deed, order.user_id, facts, reason)
    # Locks are taken in the order number, verification, user; of several users, in that of their IDs.
    _WITH_VERIFICATION.get(order.deed, _leave_alone)(ctx, case)
    support_facts.hold(ctx, order.user_id, facts)
    # No login can add a token any more.
    facts = replace(facts, tokens=tokens.count_of_user(ctx, order.user_id))
    _WITH_USER.get(order.deed, _leave_alone)(ctx, replace(case, facts=facts))
    return facts


def typed(text: str) -> str:
    """A typed reason as it is kept. Raises BadInput at its field."""
    try:
        return typed_reason.read(text)
    except typed_reason.TypedReasonError as error:
        raise BadInput(REASON_FIELD, str(error)) from None


def _locked(ctx: Context, order: Order) -> Facts:
    """The user as it is with the number in question locked, if it still is what was shown."""
    facts = support_facts.of(ctx, order.user_id)
    seen = order.seen if order.seen is not None else deed_stamps.stamp(facts)
    number = _number_of(order.deed, facts)
    if number is not None:
        phone_number_limits.lock(ctx, number)
        facts = support_facts.of(ctx, order.user_id)
    support_facts.refuse_overtaken(seen, facts)
    return facts


def _number_of(deed: Deed, facts: Facts) -> str | None:
    if deed in (Deed.RESEND, Deed.CANCEL_CHANGE, Deed.MARK_VERIFIED):
        return facts.waiting
    return facts.number if deed is Deed.FREE_NUMBER else None


def _resend(ctx: Context, case: _Case) -> None:
    attempt = attempts.latest(ctx, case.user_id)
    goes_on = attempt is not None and attempt.is_live(ctx.now) and attempt.phone_number == case.facts.waiting
    details = deed_details.of_resend(case.facts, attempt.sends if attempt is not None and goes_on else 0)
    # What follows holds the user as it was shown, so a code to another number than that one is taken back.
    verifications.resend(ctx, case.user_id, details, case.reason)


def _end_verification(ctx: Context, case: _Case) -> None:
    verifications.cancel(ctx, case.user_id)


def _end_verifications(ctx: Context, case: _Case) -> None:
    verifications.cancel(ctx, case.user_id)
    number_holders.line_up(ctx, case.facts.waiting or "", case.user_id)


def _end_verification_of_number(ctx: Context, case: _Case) -> None:
    # The code for a pending number goes on living: only the number in force is taken away.
    attempt = attempts.latest(ctx, case.user_id)
    if attempt is not None and attempt.phone_number == case.facts.number:
        attempts.end_open(ctx, case.user_id, Event.CANCEL)


def _cancel_change(ctx: Context, case: _Case) -> None:
    user = user_numbers.load(ctx, case.user_id)
    phone_numbers.cancel_change(ctx, user, case.details, case.reason)


def _mark_verified(ctx: Context, case: _Case) -> None:
    try:
        number_holders.give(ctx, case.facts.waiting or "", case.user_id, case.reason)
    except AlreadyExists:
        # The app's rule changed at this very moment; the usual refusal would name the whole number.
        raise NotSupported(HELD) from None
    audit.record(ctx, AuditAction.NUMBER_MARKED_VERIFIED, case.user_id, case.details, case.reason)


def _free_number(ctx: Context, case: _Case) -> None:
    number_holders.write(ctx, case.user_id, number_holders.lost(ctx))
    audit.record(ctx, AuditAction.NUMBER_FREED, case.user_id, case.details, case.reason)


def _keep_from_numbers(ctx: Context, case: _Case) -> None:
    erasures.lock_numbers_of(ctx, case.user_id)
    verifications.cancel(ctx, case.user_id)


def _erase(ctx: Context, case: _Case) -> None:
    erasures.erase_user(ctx, case.user_id, case.reason)


def _set_disabled(ctx: Context, case: _Case) -> None:
    users.set_disabled(ctx, case.user_id, case.deed is Deed.DISABLE, case.details, case.reason)


def _end_tokens(ctx: Context, case: _Case) -> None:
    tokens.end_all_of_user(ctx, case.user_id)
    audit.record(ctx, AuditAction.TOKENS_ENDED, case.user_id, case.details, case.reason)


def _leave_alone(_ctx: Context, _case: _Case) -> None:
    """Not every deed touches both."""


_Step = Callable[[Context, _Case], None]
_WITH_VERIFICATION: dict[Deed, _Step] = {
    Deed.RESEND: _resend,
    Deed.CANCEL_CHANGE: _end_verification,
    Deed.MARK_VERIFIED: _end_verifications,
    Deed.FREE_NUMBER: _end_verification_of_number,
    Deed.ERASE: _keep_from_numbers,
}
_WITH_USER: dict[Deed, _Step] = {
    Deed.CANCEL_CHANGE: _cancel_change,
    Deed.MARK_VERIFIED: _mark_verified,
    Deed.ENABLE: _set_disabled,
    Deed.END_TOKENS: _end_tokens,
    Deed.FREE_NUMBER: _free_number,
    Deed.DISABLE: _set_disabled,
    Deed.ERASE: _erase,
}
