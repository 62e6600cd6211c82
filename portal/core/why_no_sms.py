"""Why did this user get no SMS? One answer out of what is known, with what to do next.

The rules are asked from the first to the last; the first that has an answer gives it. What is true of the
user comes first, then what the newest request met, then what became of the newest SMS, then what the number
may get now.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from portal.core import next_steps
from portal.core.alarms import STALL_WARNS_AFTER
from portal.core.lifecycle import State
from portal.core.limits import DAY
from portal.core.reasons import Reason
from portal.core.sms_facts import Facts, RefusedSend, Sms, Stage

# These limits belong to the number, whoever asks; the others to one code.
NUMBER_LIMITS: Final = frozenset(
    {Reason.NUMBER_HOURLY_LIMIT, Reason.NUMBER_DAILY_LIMIT, Reason.NUMBER_GUESS_LIMIT}
)
# What only accounts of the portal meet is no answer for a user.
OF_ACCOUNTS: Final = frozenset(
    {
        Reason.TEST_DAILY_LIMIT,
        Reason.SIGN_IN_LIMIT,
        Reason.INVITE_LIMIT,
        Reason.REVEAL_HOURLY_LIMIT,
        Reason.LOOK_UP_HOURLY_LIMIT,
    }
)
# And these are met before it is known which user asks.
OF_SOURCES: Final = frozenset(
    {Reason.SOURCE_GUESS_LIMIT, Reason.APP_GUESS_LIMIT, Reason.SOURCE_CALL_LIMIT, Reason.SIGN_IN_LIMIT}
)
ANSWERS: Final = frozenset(Reason) - OF_ACCOUNTS - OF_SOURCES
_OF_ONE_CODE: Final = frozenset({Reason.RESEND_WAIT, Reason.SENDS_USED_UP})


@dataclass(frozen=True, slots=True)
class Answer:
    """Why, in a sentence; what to do; and a time (Unix ms) with the words that lead to it, if one matters.

    `words` is what the provider said, which nobody here has written. `aside` is true whatever the reason.
    """

    reason: Reason
    sentence: str
    what_to_do: str
    until: int | None = None
    then: str = ""
    words: str = ""
    aside: str = ""


def explain(facts: Facts) -> Answer:
    """The one answer to "why did I get no SMS?". Every reason but those of accounts and sources can be it."""
    answer = next(answer for rule in _RULES if (answer := rule(facts)) is not None)
    is_asked_for = facts.waits or facts.has_lapsed
    return replace(answer, aside=next_steps.SANDBOX) if facts.is_sandbox and is_asked_for else answer


def _of_the_user(facts: Facts) -> Answer | None:
    return _answer(Reason.USER_DISABLED) if facts.is_disabled else None


def _of_the_refused_request(facts: Facts) -> Answer | None:
    refused = facts.refused
    if refused is None or not _still_matters(facts, refused):
        return None
    if refused.reason == Reason.COUNTRY_CLOSED:
        return _closed(refused.country)
    return _answer(refused.reason, until=refused.until)


def _still_matters(facts: Facts, refused: RefusedSend) -> bool:
    """Whether a refusal is the newest thing that happened, and holds."""
    if refused.at < max(facts.settled_at, facts.sms.put_down_at if facts.sms else 0):
        return False
    stage = facts.sms.stage if facts.sms else None
    # Whoever asks again while an SMS is stuck is refused because of that very SMS.
    if facts.waits and stage in (Stage.WAITING, Stage.LEAVING):
        return False
    if stage is Stage.NOT_SENT and refused.reason in _OF_ONE_CODE:
        return False
    return facts.now < (refused.until or refused.at + DAY)


def _of_nothing_that_waits(facts: Facts) -> Answer | None:
    if facts.waits:
        return None
    if facts.has_lapsed:
        return _answer(Reason.CHANGE_LAPSED)
    code = facts.code
    if code is not None and code.state is State.SUPERSEDED and facts.settled_at <= code.ended_at:
        return _answer(Reason.NO_LONGER_NEEDED, next_steps.SOMEBODY_ELSES)
    if not facts.has_number:
        sentence = next_steps.LOST_NUMBER if facts.has_lost_number else None
        return _answer(Reason.NO_PHONE_NUMBER, sentence)
    sms = facts.sms
    if sms is not None and sms.reason == Reason.NO_LONGER_NEEDED and facts.now < sms.put_down_at + DAY:
        return _answer(Reason.NO_LONGER_NEEDED)
    return _answer(Reason.NOTHING_TO_VERIFY if facts.is_verifying else Reason.VERIFICATION_OFF)


def _of_the_sms_under_way(facts: Facts) -> Answer | None:
    sms = facts.sms
    if sms is None or sms.stage not in (Stage.WAITING, Stage.LEAVING):
        return None
    # As patient as the alarm, so that support and operators hear of it together (OPS-02).
    patience = STALL_WARNS_AFTER if sms.stage is Stage.WAITING else 0
    if sms.due_at + patience < facts.now:
        return _answer(Reason.WORKER_STALLED, until=sms.due_at)
    if sms.stage is Stage.WAITING and sms.reason is not None:
        return _tried_again(sms, sms.reason)
    return _answer(Reason.WAITING_TO_BE_SENT)


def _tried_again(sms: Sms, reason: Reason) -> Answer:
    return Answer(
        reason, reason.sentence, next_steps.WAIT_FOR_RETRY, sms.due_at, next_steps.TRIED_AGAIN, sms.words
    )


def _of_the_live_code(facts: Facts) -> Answer | None:
    sms, code = facts.sms, facts.code
    if sms is None or code is None or code.state is not State.OPEN or code.expires_at <= facts.now:
        return None
    if not code.is_for_waiting_number:
        return None
    if sms.stage is Stage.SENT:
        return _with_resend(facts, _answer(Reason.SENT_NOT_CONFIRMED))
    if sms.stage is not Stage.DELIVERED:
        return None
    if sms.is_in_inbox:
        to_do = next_steps.LOOK_IN_INBOX if facts.is_sandbox else next_steps.LEFT_IN_INBOX
        return Answer(Reason.DELIVERED, next_steps.IN_INBOX, to_do)
    return _with_resend(facts, _answer(Reason.DELIVERED))


def _of_the_number(facts: Facts) -> Answer | None:
    if facts.obstacle == Reason.COUNTRY_CLOSED:
        return _closed(facts.country)
    return None if facts.obstacle is None else _answer(facts.obstacle)


def _of_the_failed_sms(facts: Facts) -> Answer | None:
    sms = facts.sms
    if sms is None or sms.stage is not Stage.NOT_SENT or sms.reason is None:
        return None
    if facts.code is not None and not facts.code.is_for_waiting_number:
        return None
    if sms.reason == Reason.COUNTRY_CLOSED:
        # It is open again, or the rule before this one would have answered.
        return _with_resend(facts, _answer(sms.reason, what_to_do=next_steps.OPEN_BY_NOW))
    return _with_resend(facts, _answer(sms.reason, words=sms.words))


def _of_the_numbers_limit(facts: Facts) -> Answer | None:
    limit = facts.limit
    return _answer(limit.reason, until=limit.until) if limit and limit.reason in NUMBER_LIMITS else None


def _of_the_dead_code(facts: Facts) -> Answer | None:
    code = facts.code
    if code is None or not code.is_for_waiting_number:
        return _answer(Reason.CHANGE_LAPSED) if facts.has_lapsed else None
    if code.state is State.EXHAUSTED:
        return _with_resend(facts, _answer(Reason.TOO_MANY_GUESSES))
    if code.state is State.SUPERSEDED:
        return _answer(Reason.NO_LONGER_NEEDED, next_steps.SOMEBODY_ELSES)
    return None


def _of_what_is_left(facts: Facts) -> Answer | None:
    sms = facts.sms
    sentence = None if sms else next_steps.NO_LIVE_CODE
    if sms is not None and sms.is_in_inbox and sms.stage is Stage.DELIVERED:
        sentence = next_steps.EXPIRED_IN_INBOX
    return _with_resend(facts, _answer(Reason.CODE_EXPIRED, sentence))


_RULES: Final[tuple[Callable[[Facts], Answer | None], ...]] = (
    _of_the_user,
    _of_the_refused_request,
    _of_nothing_that_waits,
    _of_the_sms_under_way,
    _of_the_live_code,
    _of_the_number,
    _of_the_failed_sms,
    _of_the_numbers_limit,
    _of_the_dead_code,
    _of_what_is_left,
)


def _answer(
    reason: Reason,
    sentence: str | None = None,
    *,
    what_to_do: str | None = None,
    until: int | None = None,
    words: str = "",
) -> Answer:
    then = next_steps.THEN.get(reason, next_steps.POSSIBLE_AGAIN) if until is not None else ""
    step = what_to_do or next_steps.WHAT_TO_DO[reason]
    return Answer(reason, sentence or reason.sentence, step, until, then, words)


def _closed(country: str) -> Answer:
    return _answer(Reason.COUNTRY_CLOSED, next_steps.closed(country) if country else None)


def _with_resend(facts: Facts, answer: Answer) -> Answer:
    """The same answer, and when its next step is possible: a limit may have to pass first."""
    if facts.limit is None or answer.until is not None:
        return answer
    return Answer(
        answer.reason,
        answer.sentence,
        answer.what_to_do,
        facts.limit.until,
        next_steps.POSSIBLE_AGAIN,
        answer.words,
    )
