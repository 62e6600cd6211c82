"""What goes over an SMPP bind, and how is what comes read? Built by aiosmpplib, read by what is needed.

Source: SMPP 3.4, sections 4 and 5 and appendix B. Reading is our own: a receipt in a carrier's own dialect
must neither end the bind nor come back for ever, and a vendor's codes are as good as those of the standard.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from aiosmpplib.codec import find_codec_info
from aiosmpplib.protocol import SubmitSm
from aiosmpplib.state import NPI, TON, OptionalParam, PhoneNumber

from portal.core import segments
from portal.core.receipt_states import ReceiptState

HEADER: Final = struct.Struct("!IIII")
# No honest PDU of ours or theirs is longer.
LONGEST: Final = 70_000
_USER_MESSAGE_REFERENCE: Final = 0x0204
_RECEIPTED_MESSAGE_ID: Final = 0x001E
_MESSAGE_STATE: Final = 0x0427
_MESSAGE_PAYLOAD: Final = 0x0424
_HAS_UDH: Final = 0x40
_IS_RECEIPT: Final = 0x04
# The text of a receipt, and the number in its parameter, as the standard has them.
_WORDS: Final[Mapping[str, ReceiptState]] = {
    "ENROUTE": ReceiptState.SENT,
    "ACCEPTD": ReceiptState.SENT,
    "BUFFERD": ReceiptState.SENT,
    "DELIVRD": ReceiptState.DELIVERED,
    "EXPIRED": ReceiptState.FAILED,
    "DELETED": ReceiptState.FAILED,
    "UNDELIV": ReceiptState.FAILED,
    "REJECTD": ReceiptState.FAILED,
}
_NUMBERS: Final = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    8: "REJECTD",
}


@dataclass(frozen=True, slots=True)
class Pdu:
    """One unit as it came: its command, status and number, and the rest unread."""

    command: int
    status: int
    sequence: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What a receipt says about one part of an SMS, by the id that the SMSC gave it."""

    part_id: str
    state: ReceiptState
    word: str
    error: str


def parts(text: str) -> list[tuple[bytes, bool]]:
    """A text as it is cut, each part's bytes, and whether they are UCS-2; cut just as the portal shows it."""
    cut = segments.segment(text)
    if cut.encoding == "UCS-2":
        return [(part.encode("utf-16-be", "replace"), True) for part in cut.parts]
    encode = find_codec_info("gsm0338").encode
    return [(encode(part)[0], False) for part in cut.parts]


def submits(reference: str, sender: str, to: str, text: str, valid: int) -> list[SubmitSm]:
    """The units that carry one SMS, which is valid for so many seconds; numbers are given when they are sent.

    The same reference always gives the same units, so that a phone joins the parts of two tries (DEL-03).
    """
    mark = zlib.crc32(reference.encode())
    cut = parts(text)
    found = []
    for at, (raw, is_ucs_2) in enumerate(cut, start=1):
        head = bytes((5, 0, 3, mark & 0xFF, len(cut), at)) if len(cut) > 1 else b""
        unit = SubmitSm(
            short_message=text,
            source=_sender(sender),
            destination=PhoneNumber(to.removeprefix("+"), TON.INTERNATIONAL, NPI.ISDN),
            esm_class=_HAS_UDH if head else 0,
            validity_period=timedelta(seconds=valid),
            encoding="ucs2" if is_ucs_2 else None,
            optional_params=[OptionalParam(_USER_MESSAGE_REFERENCE, mark & 0xFFFF)],
        )
        unit.set_encoded_message(head + raw)
        found.append(unit)
    return found


def message_id(answer: Pdu) -> str:
    """The id in the answer to a submit_sm."""
    return answer.body.partition(b"\0")[0].decode("ascii", "replace")[:64]


def read_receipt(pdu: Pdu) -> Told | None:
    """What a deliver_sm says; None where it is no receipt, or none that can be read."""
    try:
        esm_class, text, extras = _read_deliver(pdu.body)
    except (struct.error, ValueError, IndexError):
        return None
    if not esm_class & 0x3C & _IS_RECEIPT:
        return None
    said = dict(re.findall(r"\b(id|stat|err):\s*(\S+)", text))
    number = extras.get(_MESSAGE_STATE, b"")
    word = said.get("stat", "").upper()[:7] or _NUMBERS.get(number[0] if number else 0, "")
    given = extras.get(_RECEIPTED_MESSAGE_ID, b"").partition(b"\0")[0].decode("ascii", "replace")
    part_id = said.get("id", "") or given
    state = _WORDS.get(word)
    if not part_id or state is None:
        return None
    return Told(part_id[:64], state, word, said.get("err", "")[:8])


def _sender(sender: str) -> PhoneNumber:
    if not sender.removeprefix("+").isdecimal():
        return PhoneNumber(sender, TON.ALPHANUMERIC, NPI.UNKNOWN)
    if len(sender) <= 8 and not sender.startswith("+"):
        return PhoneNumber(sender, TON.NETWORK_SPECIFIC, NPI.UNKNOWN)
    return PhoneNumber(sender.removeprefix("+"), TON.INTERNATIONAL, NPI.ISDN)


def _read_deliver(body: bytes) -> tuple[int, str, dict[int, bytes]]:
    """Class, text and parameters of a deliver_sm."""
    at = body.index(b"\0") + 1
    for _ in range(2):
        at = body.index(b"\0", at + 2) + 1
    esm_class = body[at]
    at += 3
    for _ in range(2):
        at = body.index(b"\0", at) + 1
    length = body[at + 4]
    at += 5
    raw = body[at : at + length]
    extras = _read_extras(body[at + length :])
    raw = raw or extras.get(_MESSAGE_PAYLOAD, b"")
    if esm_class & _HAS_UDH and raw:
        raw = raw[raw[0] + 1 :]
    return esm_class, raw.decode("latin-1"), extras


def _read_extras(raw: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(raw):
        tag, length = struct.unpack_from("!HH", raw, at)
        found[tag] = raw[at + 4 : at + 4 + length]
        at += 4 + length
    return found
