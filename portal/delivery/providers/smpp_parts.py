"""Which parts make one SMS, and when do their receipts make one receipt? Kept while this process lives."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.delivery.providers import smpp_pdus
from portal.delivery.providers.base import Receipt
from portal.delivery.providers.smpp_pdus import Pdu, Told

# How a receipt may write the id that the answer gave: the bases of both, or 0 where nothing is changed.
BASES: Final = {"same": (0, 0), "decimal of hexadecimal": (16, 10), "hexadecimal of decimal": (10, 16)}
# Parts whose receipts are waited for; the oldest are forgotten, and then told as they are.
_MOST: Final = 20_000


@dataclass(slots=True)
class Parts:
    """One SMS on its way: the ids that its parts got so far, and those that arrived."""

    total: int
    ids: list[str] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)


class OnTheirWay:
    """The parts of this process's SMS by their ids. Used in one thread only."""

    def __init__(self, receipt_ids: str) -> None:
        self._answer_base, self._receipt_base = BASES[receipt_ids]
        self._known: OrderedDict[str, Parts] = OrderedDict()

    def note(self, parts: Parts, answer: Pdu) -> None:
        """The SMSC took one part, and named it in its answer."""
        part_id = _in_decimal(smpp_pdus.message_id(answer), self._answer_base)
        parts.ids.append(part_id)
        self._known[part_id] = parts
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def knows(self, told: Told) -> bool:
        """Whether a receipt is of a part that this process sent."""
        return _in_decimal(told.part_id, self._receipt_base) in self._known

    def receipt(self, told: Told) -> Receipt | None:
        """The receipt of a whole SMS that one of a part makes; None while others are waited for."""
        part_id = _in_decimal(told.part_id, self._receipt_base)
        parts = self._known.get(part_id)
        words = f"{told.word} {told.error}".strip()
        reason = None
        if told.state is ReceiptState.FAILED:
            reason = Reason.PROVIDER_REFUSED if told.word == "REJECTD" else Reason.PHONE_UNREACHABLE
        if parts is None:
            return Receipt(part_id, told.state, reason, words)
        if told.state is ReceiptState.DELIVERED:
            parts.arrived.add(part_id)
            if len(parts.arrived) < parts.total:
                return None
        return Receipt(parts.ids[0], told.state, reason, words)


def _in_decimal(part_id: str, base: int) -> str:
    """An id as a decimal number, so that answer and receipt write it alike; base 0 leaves it as it is."""
    try:
        return str(int(part_id, base)) if base else part_id
    except ValueError:
        return part_id
