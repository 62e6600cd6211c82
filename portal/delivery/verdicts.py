"""A carrier failed: is the message tried again, when, and what becomes of it otherwise? The written rule.

A refusal for good ends a message as failed; but where it is the account that is refused, another carrier of
the app gets the message, at once where it is well, and after a wait where it is paused. Anything else is
tried again: at once where another carrier of the app is well (DEL-07), otherwise after a wait that grows, and
is as long at least as the carrier asked for (DEL-06). It is over when the code would have too little life
left: the message has failed. The fifth attempt that failed sets the message aside: it is dead, and only a
person has it tried again (DEL-08).

An attempt that may have sent the SMS although no answer said so is unsure. The code is the same every time,
so one SMS too many only costs money, and none at all locks a user out: after the first unsure attempt there
is one more that may reach the phone, by another carrier where one is well. When that is unsure too, the SMS
has most likely left twice, so the message ends as sent, not confirmed, and nothing more is sent. A message
that was unsure once never gives its slot back, however it ends.
"""

from dataclasses import dataclass
from typing import Final

from portal.core.reasons import Reason
from portal.delivery import backoff, outcomes
from portal.delivery.claims import Claim
from portal.delivery.outcomes import Outcome
from portal.models import MessageState

MOST_UNSURE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong in one attempt. `retry_after` (ms) is the rest that the carrier asked for."""

    reason: Reason
    words: str = ""
    is_permanent: bool = False
    # The carrier takes nothing from this account: wrong credentials, say, or no credit.
    is_about_account: bool = False
    may_have_left: bool = False
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When an attempt failed, until when its SMS is of use (Unix ms), and a chance from 0 to 1."""

    now: int
    useful_until: int
    draw: float
    # How many other carriers of the app are well, and how many are paused.
    others: int = 0
    resting: int = 0


def after(claim: Claim, failure: Failure, moment: Moment) -> Outcome:
    """What becomes of a message whose attempt failed."""
    unsure = claim.unsure_attempts + failure.may_have_left
    if failure.is_permanent and not (failure.is_about_account and moment.others + moment.resting):
        return outcomes.not_sent(MessageState.FAILED, failure.reason, failure.words, unsure=unsure)
    if unsure >= MOST_UNSURE:
        return outcomes.unconfirmed(failure.words)
    if claim.attempts >= backoff.MOST_ATTEMPTS:
        return outcomes.not_sent(MessageState.DEAD, failure.reason, failure.words, unsure=unsure)
    at = _next_try(claim, failure, moment)
    if not backoff.is_worth_sending(at, moment.useful_until):
        return outcomes.not_sent(MessageState.FAILED, failure.reason, failure.words, unsure=unsure)
    return outcomes.later(at, failure.reason, failure.words, is_unsure=failure.may_have_left)


def _next_try(claim: Claim, failure: Failure, moment: Moment) -> int:
    # At once by the next carrier, until each had its try; then all of them get a rest.
    if claim.attempts % (moment.others + 1):
        return moment.now
    wait = backoff.wait_after(claim.attempts, moment.draw)
    return moment.now + (wait if moment.others else max(wait, failure.retry_after or 0))
