"""How are receipts of an unknown carrier read? By its names of fields and words for states (DEL-10)."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from portal import clock
from portal.core.reasons import Reason
from portal.core.receipt_states import ReceiptState
from portal.core.receipt_troubles import ReceiptTrouble
from portal.delivery.providers import judging
from portal.delivery.providers.base import (
    Arrived,
    Receipt,
    UnreadableReceipt,
    WrongField,
    WrongSignature,
)

_STATES: Final[Mapping[str, ReceiptState]] = {state.value: state for state in ReceiptState}
_FRESH: Final = 5 * clock.MINUTE
_STAMPED: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class ReceiptFormat:
    """Where reference and status stand in a receipt, and what the words for the status mean.

    A place is the name of a field (of a form or a query, or of a JSON object) or a JSON pointer. Without a
    `key`, the token in the address, which the door checks, is all that shows where a receipt comes from.
    """

    reference: str
    status: str
    words: Mapping[str, ReceiptState]
    key: bytes = field(default=b"", repr=False)
    signature_header: str = ""

    def read(self, arrived: Arrived) -> list[Receipt]:
        """What a request says. Raises WrongSignature and UnreadableReceipt."""
        if self.key:
            self._check(arrived)
        said = _content(arrived)
        reference = judging.text_of(found_at(said, self.reference))
        word = judging.text_of(found_at(said, self.status)).strip()
        if not reference:
            raise UnreadableReceipt(ReceiptTrouble.NO_REFERENCE)
        if not word:
            raise UnreadableReceipt(ReceiptTrouble.NO_STATE)
        state = self.words.get(word.lower())
        if state is None:
            raise UnreadableReceipt(ReceiptTrouble.UNKNOWN_WORD)
        reason = Reason.PHONE_UNREACHABLE if state is ReceiptState.FAILED else None
        # A carrier that gives no reference of its own was told to use ours.
        return [Receipt(reference, state, reason, word, our_reference=reference)]

    def _check(self, arrived: Arrived) -> None:
        said = arrived.headers.get(self.signature_header.lower(), "").strip()
        stamped = _STAMPED.fullmatch(said)
        if stamped:
            is_fresh = abs(clock.now() - int(stamped[1]) * clock.SECOND) <= _FRESH
            expected, given = signature(self.key, stamped[1], arrived.body), said
        else:
            # Without a time in it, a signature does not age; a replay changes nothing all the same.
            is_fresh = True
            expected = hmac.digest(self.key, arrived.body, hashlib.sha256).hex()
            given = said.removeprefix("sha256=").lower()
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")) or not is_fresh:
            raise WrongSignature


def signature(key: bytes, at: str, body: bytes) -> str:
    """A signature with its time (Unix s): `t=1764300000,v1=`, then HMAC-SHA-256 over time, a dot and body."""
    return f"t={at},v1={hmac.digest(key, at.encode() + b'.' + body, hashlib.sha256).hex()}"


def read_words(lines: str) -> dict[str, ReceiptState]:
    """A carrier's words for states out of lines such as `DELIVRD = delivered`. Raises WrongField."""
    found: dict[str, ReceiptState] = {}
    for line in filter(None, (each.strip() for each in lines.splitlines())):
        word, _, state = (part.strip().lower() for part in line.partition("="))
        if not word or state not in _STATES:
            states = ", ".join(ReceiptState)
            raise WrongField(
                "receipt_words", f"One word a line, such as DELIVRD = delivered. States: {states}."
            )
        found[word] = _STATES[state]
    return found


def found_at(content: object, place: str) -> object:
    """What stands at a place in somebody's content: a member's name, or a JSON pointer (RFC 6901)."""
    if not place.startswith("/"):
        return judging.member(content, place)
    for step in place[1:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(content, list):
            content = content[int(name)] if name.isdecimal() and int(name) < len(content) else None
        else:
            content = judging.member(content, name)
    return content


def _content(arrived: Arrived) -> object:
    """The fields of a request: a JSON body, or form and query together. Raises UnreadableReceipt."""
    if arrived.headers.get("content-type", "").lower().startswith("application/json"):
        try:
            return json.loads(arrived.body)
        except (ValueError, RecursionError):
            raise UnreadableReceipt(ReceiptTrouble.WRONG_JSON) from None
    fields = dict(arrived.query) | dict(arrived.form)
    if not fields:
        raise UnreadableReceipt(ReceiptTrouble.NO_FIELDS)
    return fields
