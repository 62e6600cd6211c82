"""How does a message leave? Claimed, looked at once more, rendered at the last moment, handed over, noted."""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal import clock
from portal.core.reasons import Reason
from portal.delivery import backoff, breaker, claims, outcomes, routes, texts, verdicts
from portal.delivery.carriers import Carriers
from portal.delivery.claims import Background, Claim
from portal.delivery.outcomes import LeaseLost, Outcome
from portal.delivery.providers.base import Provider, ProviderFailure, ProviderRefused, Sms
from portal.delivery.routes import NoRoute, Route
from portal.delivery.turns import Turns
from portal.delivery.verdicts import Failure, Moment
from portal.keys import Keys
from portal.models import MessageState

# A lease outlasts the slowest provider (10 s) by far; after it, another worker takes over (DEL-04).
LEASE = 60 * clock.SECOND
# The last part of a lease is for a hand-over that has begun: none is begun then.
_PART_TO_BEGIN_IN = 0.75
_SPREAD = 0.125
# Waits (s) between tries to note an outcome, so that a database that is busy, or restarts, causes no second
# SMS: half a minute in all, so that a lease outlasts them together with the slowest provider (DAT-03).
_NOTING_WAITS = (0.1, 0.5, 2.0, 4.0, 8.0, 16.0)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Post:
    """What sending needs. `transaction` opens one that commits at its end; times are in (Unix) ms.

    `providers` are those of the installation, by name; `carriers` opens those that apps have themselves.
    """

    transaction: Callable[[], AbstractContextManager[Session]]
    keys: Keys
    providers: Mapping[str, Provider]
    now: Callable[[], int]
    draw: Callable[[], float] = random.SystemRandom().random
    lease: int = LEASE
    carriers: Carriers | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was claimed and may be sent until its lease ends, and the way that it goes."""

    claim: Claim
    background: Background
    route: Route | NoRoute


def send_next(post: Post) -> bool:
    """Sends the next message, or says why not; False when nothing is due.

    Whatever the message or its provider does, it ends on the message's row and never in an exception.
    """
    taken = take_next(post, Turns(), lambda _app_id: True)
    if taken is None:
        return False
    send(post, taken)
    return True


def take_next(post: Post, turns: Turns, may_take: Callable[[str], bool]) -> Taken | None:
    """Claims the longest waiting message of the next app that `may_take`; None when there is none.

    A message that no carrier takes now goes back, and the next app has its turn.
    """
    with post.transaction() as session:
        while (turn := turns.next(session, now := post.now(), may_take)) is not None:
            claim = claims.take(session, turn.app_id, now, _lease(post), turn.due_by(now))
            taken = None if claim is None else _with_route(post, session, claim, now)
            if taken is not None:
                return taken
    return None


def send(post: Post, taken: Taken) -> None:
    """Hands a claimed message over and notes what came of it."""
    claim = taken.claim
    try:
        _note(post, taken, *_send(post, taken))
    except LeaseLost:
        _log.warning("lease_lost", message=claim.id, attempts=claim.attempts)


def _lease(post: Post) -> int:
    # What was in hand when a worker died comes back at different times, so that a message which kills its
    # worker does not take the same neighbours along each time (DEL-08).
    return post.lease + round(post.lease * _SPREAD * post.draw())


def _with_route(post: Post, session: Session, claim: Claim, now: int) -> Taken | None:
    background = claims.background(session, claim)
    if _is_spent(claim) or _has_obstacle(claim, background, now):
        # It goes nowhere, so no carrier is asked for, and none is tried with it.
        return Taken(claim, background, NoRoute())
    route = routes.choose(session, claim, background, post.providers, post.carriers, now)
    if isinstance(route, NoRoute) and route.until is not None:
        claims.give_back(session, claim, route.until)
        return None
    if isinstance(route, Route) and route.provider_id is not None:
        claims.name_provider(session, claim, route.kind, route.provider_id)
    return Taken(claim, background, route)


def _has_obstacle(claim: Claim, background: Background, now: int) -> bool:
    try:
        return texts.obstacle(claim, background, now) is not None
    except Exception:  # noqa: BLE001 - it is taken up all the same, and fails when it is sent; else it came back for ever
        return True


def _is_spent(claim: Claim) -> bool:
    """Whether a message had its tries: five in all, or two that may have sent its SMS (DEL-03)."""
    return claim.attempts > backoff.MOST_ATTEMPTS or claim.unsure_attempts >= verdicts.MOST_UNSURE


def _send(post: Post, taken: Taken) -> tuple[Outcome, Failure | None]:
    """What came of a message, and how its provider failed, if it did."""
    claim, background = taken.claim, taken.background
    if _is_spent(claim):
        # Nobody lived to say what the attempts came to, so it may have left.
        known = (each for each in Reason if each == claim.reason)
        reason = next(known, Reason.SENDING_BROKE_OFF)
        return outcomes.not_sent(MessageState.DEAD, reason, unsure=1), None
    try:
        obstacle = texts.obstacle(claim, background, post.now())
        if obstacle is not None:
            return obstacle, None
        text = texts.render(post.keys, claim, background)
    except Exception as error:  # noqa: BLE001 - one bad row must neither stop the others nor reach the log whole
        return _judge(post, taken, Failure(reason=Reason.RENDERING_FAILED), error), None
    if isinstance(taken.route, NoRoute):
        no_provider = outcomes.not_sent(MessageState.FAILED, Reason.NO_PROVIDER, unsure=claim.unsure_attempts)
        return no_provider, None
    until = texts.useful_until(claim, background)
    return _hand_over(post, taken, taken.route, Sms(claim.id, claim.phone_number, text, until))


def _hand_over(post: Post, taken: Taken, route: Route, sms: Sms) -> tuple[Outcome, Failure | None]:
    _refuse_late(post, taken.claim)
    _begin_hand_over(post, taken.claim, route)
    try:
        return outcomes.accepted(route.sender.send(sms)), None
    except Exception as error:  # noqa: BLE001 - a provider's slip is one failed attempt, told without its words
        failure = _failure(error, sms.text)
        return _judge(post, taken, failure, error), failure


def _begin_hand_over(post: Post, claim: Claim, route: Route) -> None:
    """Has the row say that the SMS may be leaving; the inbox needs no such note, as it rings no phone."""
    if route.provider_id is None:
        return
    with post.transaction() as session:
        if not claims.begin_hand_over(session, claim, post.now()):
            raise LeaseLost
        # It may have waited long for its turn to write; then it says nothing, and nothing leaves.
        _refuse_late(post, claim)


def _refuse_late(post: Post, claim: Claim) -> None:
    if post.now() >= claim.due_at - round(post.lease * (1 - _PART_TO_BEGIN_IN)):
        # This worker stood still; by the time that it has sent, another one may have sent too.
        raise LeaseLost


def _failure(error: Exception, text: str) -> Failure:
    if not isinstance(error, ProviderFailure):
        return Failure(reason=Reason.PROVIDER_UNREACHABLE)
    return Failure(
        reason=error.reason,
        words=outcomes.without_text(error.words, text),
        is_permanent=error.permanent,
        may_have_left=error.may_have_left,
        is_about_account=isinstance(error, ProviderRefused) and error.is_about_account,
        retry_after=error.retry_after if isinstance(error, ProviderRefused) else None,
    )


def _judge(post: Post, taken: Taken, failure: Failure, error: Exception) -> Outcome:
    claim, route = taken.claim, taken.route
    if not failure.is_permanent:
        # What the error says may hold the code or the number, so the log gets its kind only (PII-02).
        _log.warning("attempt_failed", message=claim.id, attempts=claim.attempts, error=type(error).__name__)
    until = texts.useful_until(claim, taken.background)
    moment = Moment(post.now(), until, post.draw())
    if isinstance(route, Route) and failure.reason != Reason.RENDERING_FAILED:
        moment = replace(moment, others=route.others, resting=route.resting)
    return verdicts.after(claim, failure, moment)


def _note(post: Post, taken: Taken, outcome: Outcome, failure: Failure | None) -> None:
    for wait in _NOTING_WAITS:
        try:
            return _note_once(post, taken, outcome, failure)
        except OperationalError as error:
            _log.warning("noting_failed", message=taken.claim.id, error=type(error).__name__)
            time.sleep(wait)
    return _note_once(post, taken, outcome, failure)


def _note_once(post: Post, taken: Taken, outcome: Outcome, failure: Failure | None) -> None:
    claim, now = taken.claim, post.now()
    with post.transaction() as session:
        outcomes.note(session, post.keys, claim, outcome, now)
        _note_carrier(session, taken.route, outcome, failure, now)
    _log.debug(
        "message_noted", message=claim.id, app=claim.app_id, state=outcome.state, reason=outcome.reason
    )


def _note_carrier(
    session: Session, route: Route | NoRoute, outcome: Outcome, failure: Failure | None, now: int
) -> None:
    """Tells the breaker how the carrier fared; last, because all of its messages share that row."""
    if isinstance(route, NoRoute) or route.provider_id is None:
        return
    if failure is not None and breaker.counts(
        failure.reason, is_permanent=failure.is_permanent, is_about_account=failure.is_about_account
    ):
        breaker.note_failure(session, route.provider_id, failure.reason, now, failure.retry_after)
    elif failure is not None or outcome.state in (MessageState.SENT, MessageState.DELIVERED):
        breaker.note_success(session, route.provider_id, now)
