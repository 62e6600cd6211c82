"""What does a message say, and may it still leave? Decided at the last moment: things change."""

from typing import Final

from portal.core import code, message_text, wordings
from portal.core.lifecycle import State
from portal.core.limits import MINUTE
from portal.core.number_places import place
from portal.core.reasons import Reason
from portal.delivery import backoff, outcomes
from portal.delivery.claims import Background, Claim
from portal.delivery.outcomes import Outcome
from portal.delivery.providers.inbox import Inbox
from portal.keys import Keys
from portal.models import MessagePurpose, MessageState

# A notice of change, or a test, that comes later than this (ms) only puzzles people.
_LIFE_WITHOUT_CODE: Final = 10 * MINUTE

_DEAD = {
    State.EXPIRED: Reason.EXPIRED_BEFORE_SENDING,
    State.EXHAUSTED: Reason.TOO_MANY_GUESSES,
    State.VERIFIED: Reason.NO_LONGER_NEEDED,
    State.REPLACED: Reason.NO_LONGER_NEEDED,
    State.CANCELLED: Reason.NO_LONGER_NEEDED,
    State.SUPERSEDED: Reason.NO_LONGER_NEEDED,
}


def useful_until(claim: Claim, background: Background) -> int:
    """After which time (Unix ms) an SMS is of no use to anybody (DEL-05)."""
    return background.code_expires_at or claim.created_at + _LIFE_WITHOUT_CODE


def obstacle(claim: Claim, background: Background, now: int) -> Outcome | None:
    """Why a message must not leave after all: things may have changed since it was put down."""
    unsure = claim.unsure_attempts
    if claim.verification_id is not None and background.state != State.OPEN:
        reason = _DEAD[State(background.state or "")]
        return outcomes.not_sent(MessageState.EXPIRED, reason, unsure=unsure)
    # A suspended user could not use the code (contract a.3).
    if (claim.verification_id and background.disabled) or _has_lost_its_reader(claim, background):
        return outcomes.not_sent(MessageState.EXPIRED, Reason.NO_LONGER_NEEDED, unsure=unsure)
    if not backoff.is_worth_sending(now, useful_until(claim, background)):
        return outcomes.not_sent(MessageState.EXPIRED, Reason.EXPIRED_BEFORE_SENDING, unsure=unsure)
    country = place(claim.phone_number)
    if country not in background.open_countries:
        reason = Reason.NOT_MOBILE if country is None else Reason.COUNTRY_CLOSED
        return outcomes.not_sent(MessageState.FAILED, reason, unsure=unsure)
    return None


def render(keys: Keys, claim: Claim, background: Background) -> str:
    """The text of a message with its code. Raises ValueError and others where the wording is broken."""
    if claim.purpose == MessagePurpose.CHANGE_NOTICE:
        return message_text.render(wordings.notice_for(claim.locale), claim.values, None)
    digits = _digits(keys, claim, background)
    text = message_text.render(background.body or wordings.OWN_NUMBER, claim.values, digits)
    if digits not in text:
        raise ValueError("This text says no code.")
    return text


def _has_lost_its_reader(claim: Claim, background: Background) -> bool:
    """Whether nobody waits for a message of an account any more: its code or its number was replaced."""
    if claim.purpose == MessagePurpose.OWN_NUMBER:
        return background.confirmation_id != claim.values["id"]
    # Put down in a sandbox, a test is for a made-up number, which must not ring in an app gone live (TPL-05).
    is_test = claim.purpose == MessagePurpose.TEST
    return is_test and claim.provider != Inbox.name and claim.phone_number != background.own_number


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
