"""How did a message fare? Notes it on the row that is still ours, and frees the slot of one not sent."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from sqlalchemy import ScalarSelect, case, func, select, update
from sqlalchemy.orm import Session, aliased

from portal.core import limits, number_hashes
from portal.core.limits import Tally
from portal.core.reasons import Reason
from portal.delivery.backoff import MOST_ATTEMPTS
from portal.delivery.claims import Claim
from portal.delivery.providers.base import Accepted
from portal.keys import Keys
from portal.models import Message, MessageState, PhoneNumberLimit, Verification

LONGEST_WORDS = 300
LONGEST_REFERENCE = 128
# So many characters in a row are the same in words and text by no chance.
_FEWEST_REPEATED = 12
_STATUS = re.compile(r"HTTP [1-5]\d\d")
_NEVER_SENT = (MessageState.FAILED, MessageState.EXPIRED, MessageState.DEAD)

_other = aliased(Message)


class LeaseLost(Exception):
    """Another worker took the message over meanwhile; what this one did is not noted (DEL-04)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt. `due_at` (Unix ms) is set when there will be another one."""

    state: MessageState
    reason: Reason | None = None
    words: str = ""
    reference: str | None = None
    due_at: int | None = None
    # False where the SMS may have left all the same, so that a crash gives nobody an extra send.
    was_not_sent: bool = False
    # This attempt may have sent the SMS although no answer said so (DEL-07).
    is_unsure: bool = False


def accepted(taken: Accepted) -> Outcome:
    """A provider took the SMS."""
    state = MessageState.DELIVERED if taken.is_delivered else MessageState.SENT
    return Outcome(state, reference=taken.reference)


def not_sent(state: MessageState, reason: Reason, words: str = "", *, unsure: int = 0) -> Outcome:
    """The SMS will not be sent, and was not, unless one of `unsure` attempts sent it after all."""
    return Outcome(state, reason, words, was_not_sent=unsure == 0)


def later(at: int, reason: Reason, words: str, *, is_unsure: bool = False) -> Outcome:
    """This attempt failed; the next one is at `at` (Unix ms)."""
    return Outcome(MessageState.QUEUED, reason, words, due_at=at, is_unsure=is_unsure)


def unconfirmed(words: str) -> Outcome:
    """The SMS has most likely left, and no provider ever said so."""
    return Outcome(MessageState.SENT, Reason.SENT_NOT_CONFIRMED, words, is_unsure=True)


def note(session: Session, keys: Keys, claim: Claim, outcome: Outcome, now: int) -> None:
    """Writes an outcome down. Raises LeaseLost when the message is no longer this worker's."""
    # Locks go number, verification, user everywhere; the message, which nobody else waits for, comes last.
    if outcome.was_not_sent and claim.verification_id is not None:
        _free_slot(session, keys, claim)
    is_over = outcome.state in (MessageState.DELIVERED, *_NEVER_SENT)
    was_sent = outcome.state in (MessageState.SENT, MessageState.DELIVERED)
    noted = session.execute(
        update(Message)
        .where(Message.serial == claim.serial, Message.lease == claim.lease)
        .values(
            state=outcome.state,
            lease=None,
            handed_over_at=None,
            # A claim counts before it knows that the attempts are used up.
            attempts=min(claim.attempts, MOST_ATTEMPTS),
            unsure_attempts=Message.unsure_attempts + int(outcome.is_unsure),
            due_at=outcome.due_at or now,
            reason=outcome.reason,
            provider_words=scrubbed(outcome.words) or None,
            provider_reference=reference(outcome.reference or ""),
            sent_at=now if was_sent else None,
            ended_at=now if is_over else None,
        )
        .returning(Message.serial)
        .execution_options(synchronize_session=False)
    ).first()
    if noted is None:
        raise LeaseLost


def scrubbed(words: str) -> str:
    """A provider's words without digits, since they may echo the code or the number (PII-02).

    The status of an answer, which stands where the provider said nothing, is ours and no digit of theirs.
    """
    plain = _plain(words)
    return (plain if _STATUS.fullmatch(plain) else re.sub(r"\d", "•", plain))[:LONGEST_WORDS]


def reference(said: str) -> str | None:
    """A provider's reference as it is kept, and so as its receipts are looked for; None for none."""
    return _plain(said)[:LONGEST_REFERENCE] or None


def without_text(words: str, text: str) -> str:
    """A provider's words without what they repeat of the SMS: support reads no texts (TEN-05, PII-02)."""
    words = words[: 2 * LONGEST_WORDS]
    same = SequenceMatcher(None, words, text, autojunk=False).get_matching_blocks()
    for block in reversed(same):
        if block.size >= _FEWEST_REPEATED:
            words = f"{words[: block.a]}…{words[block.a + block.size :]}"
    return words


def _plain(words: str) -> str:
    # PostgreSQL keeps no NUL and no lone surrogate.
    printable = words.encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() else " " for char in printable).strip()


def _free_slot(session: Session, keys: Keys, claim: Claim) -> None:
    """Undoes the counting of a send that never was, so that its user can ask again at once (design 5)."""
    # While a rotation is under way a number has two rows, and the older one is locked first (PII-06).
    for _version, hidden in number_hashes.limit_hashes(keys, claim.app_id, claim.phone_number):
        _untally(session, claim, hidden)
    session.execute(
        update(Verification)
        .where(Verification.app_id == claim.app_id, Verification.id == claim.verification_id)
        .where(Verification.sends > 0)
        .values(
            sends=Verification.sends - 1,
            last_sent_at=case(
                (Verification.last_sent_at == claim.counted_at, _last_send_before(claim)),
                else_=Verification.last_sent_at,
            ),
        )
        .execution_options(synchronize_session=False)
    )


def _untally(session: Session, claim: Claim, hidden: str) -> None:
    is_number = (
        PhoneNumberLimit.app_id == claim.app_id,
        PhoneNumberLimit.number_hash == hidden,
    )
    stored = session.scalar(select(PhoneNumberLimit.sent_times).where(*is_number).with_for_update())
    if stored is None:
        return
    # A send is counted at the very time that its message was put down, or tried again by hand.
    tally = Tally(sent=limits.read_times(stored)).unsend(claim.counted_at)
    session.execute(
        update(PhoneNumberLimit)
        .where(*is_number)
        .values(sent_times=limits.write_times(tally.sent))
        .execution_options(synchronize_session=False)
    )


def _last_send_before(claim: Claim) -> ScalarSelect[int]:
    counted_at = func.coalesce(_other.redriven_at, _other.created_at)
    return (
        select(counted_at)
        .where(_other.app_id == claim.app_id, _other.verification_id == claim.verification_id)
        .where(_other.serial != claim.serial, _other.state.not_in(_NEVER_SENT))
        .where(counted_at <= claim.counted_at)
        .order_by(counted_at.desc())
        .limit(1)
        .scalar_subquery()
    )
