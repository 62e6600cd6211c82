"""How did an app's carriers fare lately? Messages, and receipts in vain, of the last 24 hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core import limits
from portal.core.receipt_troubles import ReceiptTrouble
from portal.models import Message, MessageState, UnmatchedReceipt, UnreadableReceipt
from portal.services import walks

_TROUBLES: Final = {each.value: each for each in ReceiptTrouble}


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Receipts of a carrier that matched no message in the last 24 hours; when (Unix ms) the last came."""

    receipts: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Receipts of a carrier that could not be read in the last 24 hours; when (Unix ms) the last came.

    `troubles` has how many lacked what, the kind of the last one first.
    """

    last_at: int
    troubles: Mapping[ReceiptTrouble, int]

    @property
    def receipts(self) -> int:
        """All of them together."""
        return sum(self.troubles.values())


@dataclass(frozen=True, slots=True)
class Activity:
    """Messages by state, and by the id of the provider that had them last.

    Of the last 24 hours, or, where more than EXAMINED messages are younger, of the newest EXAMINED.
    `unmatched` has the providers whose receipts matched no message, `unreadable` those whose receipts could
    not be read.
    """

    counts: Mapping[str, Mapping[MessageState, int]]
    is_cut: bool
    unmatched: Mapping[str, Unmatched]
    unreadable: Mapping[str, Unreadable]

    def of(self, provider_id: str) -> Mapping[MessageState, int]:
        """The messages of one provider by state; nothing for one that had none."""
        return self.counts.get(provider_id, {})

    def has_receipts(self, provider_id: str) -> bool:
        """Whether receipts of one provider came: only by them is a message of a carrier delivered."""
        came = provider_id in self.unmatched or provider_id in self.unreadable
        return came or bool(self.of(provider_id).get(MessageState.DELIVERED))


def of(session: Session, app_id: str, now: int) -> Activity:
    """What an app's providers had to send lately, at `now` (Unix ms). Three statements."""
    rows = (
        select(Message.provider_id, Message.state, Message.created_at)
        .where(Message.app_id == app_id)
        .order_by(Message.serial.desc())
        .limit(walks.EXAMINED)
        .subquery()
    )
    is_recent = rows.c.created_at > now - limits.DAY
    grouped = select(rows.c.provider_id, rows.c.state, func.count()).where(is_recent)
    counts: dict[str, dict[MessageState, int]] = {}
    seen = 0
    for provider_id, state, count in session.execute(grouped.group_by(rows.c.provider_id, rows.c.state)):
        seen += count
        counts.setdefault(provider_id or "", {})[MessageState(state)] = count
    is_cut = seen == walks.EXAMINED
    return Activity(counts, is_cut, _unmatched(session, app_id, now), _unreadable(session, app_id, now))


def _unmatched(session: Session, app_id: str, now: int) -> dict[str, Unmatched]:
    found = (
        select(
            UnmatchedReceipt.provider_id,
            func.sum(UnmatchedReceipt.receipts),
            func.max(UnmatchedReceipt.last_at),
        )
        .where(UnmatchedReceipt.app_id == app_id, UnmatchedReceipt.hour > now - limits.DAY)
        .group_by(UnmatchedReceipt.provider_id)
    )
    return {provider_id: Unmatched(int(receipts), at) for provider_id, receipts, at in session.execute(found)}


def _unreadable(session: Session, app_id: str, now: int) -> dict[str, Unreadable]:
    it = UnreadableReceipt
    last_at = func.max(it.last_at)
    wanted = (
        select(it.provider_id, it.trouble, func.sum(it.receipts), last_at)
        .where(it.app_id == app_id, it.hour > now - limits.DAY)
        .group_by(it.provider_id, it.trouble)
        .order_by(last_at.desc(), it.trouble)
    )
    latest, troubles = dict[str, int](), dict[str, dict[ReceiptTrouble, int]]()
    for provider_id, trouble, receipts, at in session.execute(wanted):
        latest.setdefault(provider_id, at)
        troubles.setdefault(provider_id, {})[_TROUBLES[trouble]] = int(receipts)
    return {each: Unreadable(latest[each], found) for each, found in troubles.items()}
