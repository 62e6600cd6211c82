"""What became of a message that a carrier took? Its receipts move the row forward, never back (DEL-10)."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.delivery import claims, outcomes, unmatched_receipts
from portal.delivery.providers.base import Receipt
from portal.models import Message, MessageState, Provider

_WAITS: Final = (0.0, 0.2, 1.0)
# So many of a process's threads wait for notes at most; an account that others use too may report all day.
MOST_WAITING: Final = 8
_PLACES: Final = threading.BoundedSemaphore(MOST_WAITING)
# From which states a receipt may move a message: queued and sending < sent < delivered or failed.
_BEFORE_SENT = (MessageState.QUEUED, MessageState.SENDING)
_FORWARD: Mapping[ReceiptState, tuple[MessageState, ...]] = {
    ReceiptState.SENT: _BEFORE_SENT,
    ReceiptState.DELIVERED: (*_BEFORE_SENT, MessageState.SENT),
    ReceiptState.FAILED: (*_BEFORE_SENT, MessageState.SENT),
}


def apply(session: Session, provider_id: str, receipts: Sequence[Receipt], now: int) -> int:
    """Notes what a carrier says of messages that it took; returns how many it changed at `now` (Unix ms).

    The caller has shown that the receipts come from this carrier. A receipt that comes again, comes too late
    or names a message of somebody else's carrier, or none, changes nothing. Delivered says nothing about the
    user: only the code that comes back proves a number. A message that failed on its way was sent and paid
    for, so no slot is freed: a number that never receives could be texted without end otherwise.
    """
    return sum(_apply(session, provider_id, each, now) for each in receipts)


def take(
    transaction: Callable[[], AbstractContextManager[Session]],
    provider_id: str,
    receipts: Sequence[Receipt],
    now: Callable[[], int],
) -> int:
    """`apply` for receipts that may be faster than the note that their message was taken.

    Those are looked at again a little later, for 1.2 s at most, while any message is with this carrier. When
    the note has not come by then, its worker is most likely dead, and a receipt that names our own reference
    does for it: the SMS is not sent twice (DEL-03). Those that match nothing even then are counted.
    `transaction` opens one that commits.
    """
    changed, left = 0, list(receipts)
    with ExitStack() as places:
        for wait in _WAITS:
            time.sleep(wait)
            with transaction() as session:
                changed += apply(session, provider_id, left, now())
                left = [each for each in left if _is_unknown(session, provider_id, each)]
                is_early = bool(left) and _is_any_leaving(session, provider_id, now())
                if not is_early or wait == _WAITS[-1] or not (wait or _has_place(places)):
                    return changed + _apply_the_rest(session, provider_id, left, now())
    return changed


def _apply_the_rest(session: Session, provider_id: str, receipts: Sequence[Receipt], now: int) -> int:
    changed = sum(_apply_unnoted(session, provider_id, each, now) for each in receipts)
    if unmatched := len(receipts) - changed:
        unmatched_receipts.count(session, provider_id, unmatched, now)
    return changed


def _has_place(places: ExitStack) -> bool:
    """Whether this thread may wait too; its place is free again when `places` ends."""
    if not _PLACES.acquire(blocking=False):
        return False
    places.callback(_PLACES.release)
    return True


def _apply(session: Session, provider_id: str, receipt: Receipt, now: int) -> int:
    reference = outcomes.reference(receipt.reference)
    if reference is None:
        return 0
    moved = session.scalars(
        update(Message)
        .where(Message.provider_id == provider_id, Message.provider_reference == reference)
        .where(Message.state.in_(_FORWARD[receipt.state]))
        .values(**_noted(receipt, now))
        .returning(Message.serial)
        .execution_options(synchronize_session=False)
    )
    return len(moved.all())


def _apply_unnoted(session: Session, provider_id: str, receipt: Receipt, now: int) -> int:
    """Notes what a carrier says of a message that it has, and whose worker never said so."""
    ours = outcomes.reference(receipt.our_reference)
    if ours is None:
        return 0
    # One that failed may be an earlier try, of which nobody knew whether it had left; then another is on.
    is_its_only_try = (Message.unsure_attempts == 0,) if receipt.state is ReceiptState.FAILED else ()
    moved = session.scalars(
        update(Message)
        .where(Message.id == ours, Message.provider_id == provider_id, *is_its_only_try)
        .where(Message.handed_over_at.is_not(None), Message.state.in_(_BEFORE_SENT))
        .values(
            {"sent_at": Message.handed_over_at}
            | _noted(receipt, now)
            | {"provider_reference": outcomes.reference(receipt.reference)}
        )
        .returning(Message.serial)
        .execution_options(synchronize_session=False)
    )
    return len(moved.all())


def _is_unknown(session: Session, provider_id: str, receipt: Receipt) -> bool:
    """Whether a receipt is of no message that its carrier is known to have taken."""
    reference = outcomes.reference(receipt.reference)
    known = (Message.provider_id == provider_id, Message.provider_reference == reference)
    return reference is not None and not session.scalar(select(exists().where(*known)))


def _is_any_leaving(session: Session, provider_id: str, now: int) -> bool:
    """Whether a carrier may have a message whose worker has not noted yet that it took it."""
    app_id = select(Provider.app_id).where(Provider.id == provider_id).scalar_subquery()
    # What is being sent is due only when its lease ends, which keeps this from reading all that waits.
    is_leaving = exists().where(
        Message.app_id == app_id,
        Message.state.in_(claims.UNDER_WAY),
        Message.due_at > now,
        Message.provider_id == provider_id,
        Message.lease.is_not(None),
    )
    return bool(session.scalar(select(is_leaving)))


def _noted(receipt: Receipt, now: int) -> dict[str, Any]:
    # Whoever still sends it finds that its lease is gone.
    noted: dict[str, Any] = {
        "state": MessageState(receipt.state),
        "lease": None,
        "reason": None,
        "handed_over_at": None,
    }
    if receipt.state is ReceiptState.SENT:
        return noted | {"sent_at": now}
    noted["ended_at"] = now
    if receipt.state is ReceiptState.FAILED:
        words = outcomes.scrubbed(receipt.words) or None
        noted |= {"reason": receipt.reason or Reason.PHONE_UNREACHABLE, "provider_words": words}
    return noted
