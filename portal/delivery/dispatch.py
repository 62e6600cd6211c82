"""How does a message leave? Claimed, looked at once more, rendered at the last moment, handed over, noted."""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal import clock
from portal.core import code, message_text, phone_number, wordings
from portal.core.lifecycle import State
from portal.core.reasons import Reason
from portal.delivery import backoff, claims, outcomes
from portal.delivery.claims import Background, Claim
from portal.delivery.outcomes import LeaseLost, Outcome
from portal.delivery.providers.base import Provider, ProviderFailure, Sms
from portal.delivery.providers.inbox import Inbox
from portal.keys import Keys
from portal.models import MessagePurpose, MessageState

# A lease outlasts the slowest provider (10 s) by far; after it, another worker takes over (DEL-04).
LEASE = 60 * clock.SECOND
# A notice of change that comes later than this only puzzles people.
NOTICE_LIFE = 10 * clock.MINUTE
# Waits (s) between tries to note an outcome, so that a busy database causes no second SMS.
_NOTING_WAITS = (0.1, 0.5, 2.0)

_DEAD = {
    State.EXPIRED: Reason.EXPIRED_BEFORE_SENDING,
    State.EXHAUSTED: Reason.TOO_MANY_GUESSES,
    State.VERIFIED: Reason.NO_LONGER_NEEDED,
    State.REPLACED: Reason.NO_LONGER_NEEDED,
    State.CANCELLED: Reason.NO_LONGER_NEEDED,
    State.SUPERSEDED: Reason.NO_LONGER_NEEDED,
}

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Post:
    """What sending needs. `transaction` opens one that commits at its end; times are in (Unix) ms."""

    transaction: Callable[[], AbstractContextManager[Session]]
    keys: Keys
    providers: Mapping[str, Provider]
    now: Callable[[], int]
    draw: Callable[[], float] = random.SystemRandom().random
    lease: int = LEASE


def send_next(post: Post) -> bool:
    """Sends the one message that has waited longest, or says why not; False when nothing is due.

    Whatever the message or its provider does, it ends on the message's row and never in an exception.
    """
    with post.transaction() as session:
        claim = claims.take(session, post.now(), post.lease)
        if claim is None:
            return False
        background = claims.background(session, claim)
    try:
        _note(post, claim, _send(post, claim, background))
    except LeaseLost:
        _log.warning("lease_lost", message=claim.id, attempts=claim.attempts)
    return True


def _send(post: Post, claim: Claim, background: Background) -> Outcome:
    if claim.attempts > backoff.MOST_ATTEMPTS:
        return Outcome(MessageState.FAILED, Reason.PROVIDER_UNREACHABLE)
    useful_until = background.code_expires_at or claim.created_at + NOTICE_LIFE
    try:
        obstacle = _obstacle(claim, background, post.now(), useful_until)
        if obstacle is not None:
            return obstacle
        text = _text(post.keys, claim, background)
    except Exception as error:  # noqa: BLE001 - one bad row must neither stop the others nor reach the log whole
        return _try_again(post, claim, useful_until, Reason.RENDERING_FAILED, error)
    provider = post.providers.get(claim.provider)
    if provider is None:
        return outcomes.not_sent(MessageState.FAILED, Reason.NO_PROVIDER)
    return _hand_over(post, claim, provider, Sms(claim.id, claim.phone_number, text, useful_until))


def _obstacle(claim: Claim, background: Background, now: int, useful_until: int) -> Outcome | None:
    """Why a message must not leave after all: things may have changed since it was put down."""
    if claim.verification_id is not None and background.state != State.OPEN:
        return outcomes.not_sent(MessageState.EXPIRED, _DEAD[State(background.state or "")])
    if _has_lost_its_reader(claim, background):
        return outcomes.not_sent(MessageState.EXPIRED, Reason.NO_LONGER_NEEDED)
    if not backoff.is_worth_sending(now, useful_until):
        return outcomes.not_sent(MessageState.EXPIRED, Reason.EXPIRED_BEFORE_SENDING)
    if phone_number.region(claim.phone_number) not in background.open_countries:
        return outcomes.not_sent(MessageState.FAILED, Reason.COUNTRY_CLOSED)
    return None


def _has_lost_its_reader(claim: Claim, background: Background) -> bool:
    """Whether nobody waits for a message of an account any more: its code or its number was replaced."""
    if claim.purpose == MessagePurpose.OWN_NUMBER:
        return background.confirmation_id != claim.values["id"]
    # Put down in a sandbox, a test is for a made-up number, which must not ring in an app gone live (TPL-05).
    is_test = claim.purpose == MessagePurpose.TEST
    return is_test and claim.provider != Inbox.name and claim.phone_number != background.own_number


def _text(keys: Keys, claim: Claim, background: Background) -> str:
    if claim.purpose == MessagePurpose.CHANGE_NOTICE:
        return message_text.render(wordings.notice_for(claim.locale), claim.values, None)
    digits = _digits(keys, claim, background)
    text = message_text.render(background.body or wordings.OWN_NUMBER, claim.values, digits)
    if digits not in text:
        raise ValueError("This text says no code.")
    return text


def _digits(keys: Keys, claim: Claim, background: Background) -> str:
    """The code of a message: a fake one for a test, the account's own, or that of its verification."""
    if claim.purpose == MessagePurpose.TEST:
        return code.FAKE[: int(claim.values["code_length"])]
    if claim.purpose == MessagePurpose.OWN_NUMBER:
        return code.derive(keys.codes[int(claim.values["key_version"])], claim.values["id"], 1, code.USUAL)
    assert claim.verification_id is not None
    assert background.key_version is not None
    assert background.code_length is not None
    assert claim.issue is not None
    key = keys.codes[background.key_version]
    return code.derive(key, claim.verification_id, claim.issue, background.code_length)


def _hand_over(post: Post, claim: Claim, provider: Provider, sms: Sms) -> Outcome:
    try:
        return outcomes.accepted(provider.send(sms))
    except ProviderFailure as failure:
        failure.words = outcomes.without_text(failure.words, sms.text)
        if failure.permanent:
            return outcomes.not_sent(MessageState.FAILED, failure.reason, failure.words)
        return _try_again(post, claim, sms.valid_until, failure.reason, failure)
    except Exception as error:  # noqa: BLE001 - a provider's slip is one failed attempt, told without its words
        return _try_again(post, claim, sms.valid_until, Reason.PROVIDER_UNREACHABLE, error)


def _try_again(post: Post, claim: Claim, useful_until: int, reason: Reason, error: Exception) -> Outcome:
    # What the error says may hold the code or the number, so the log gets its kind only (PII-02).
    _log.warning("attempt_failed", message=claim.id, attempts=claim.attempts, error=type(error).__name__)
    words = error.words if isinstance(error, ProviderFailure) else ""
    at = backoff.next_try(claim.attempts, post.now(), useful_until, post.draw())
    if at is None:
        return outcomes.not_sent(MessageState.FAILED, reason, words)
    return outcomes.later(at, reason, words)


def _note(post: Post, claim: Claim, outcome: Outcome) -> None:
    for wait in _NOTING_WAITS:
        try:
            return _note_once(post, claim, outcome)
        except OperationalError as error:
            _log.warning("noting_failed", message=claim.id, error=type(error).__name__)
            time.sleep(wait)
    return _note_once(post, claim, outcome)


def _note_once(post: Post, claim: Claim, outcome: Outcome) -> None:
    with post.transaction() as session:
        outcomes.note(session, claim, outcome, post.now())
    _log.debug(
        "message_noted", message=claim.id, app=claim.app_id, state=outcome.state, reason=outcome.reason
    )
