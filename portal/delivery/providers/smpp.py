"""How do SMS leave through an SMSC? Over SMPP 3.4, by a transceiver bind that brings the receipts too.

Source: SMPP 3.4, section 5.1.3 (statuses) and appendix B (receipts).
"""

import asyncio
import threading
from collections.abc import Mapping
from typing import Final

import httpx2
from aiosmpplib.protocol import SubmitSm

from portal.core import outgoing_urls
from portal.core.provider_kinds import ProviderKind
from portal.delivery import resolving
from portal.delivery.outgoing import TOTAL
from portal.delivery.providers import fields, judging, smpp_pdus
from portal.delivery.providers.base import (
    Accepted,
    Arrived,
    Field,
    ProviderFailure,
    ProviderUnreachable,
    Receipt,
    Sms,
    Surroundings,
    WrongSignature,
)
from portal.delivery.providers.judging import ACCOUNT, LATER, MESSAGE, PHONE, Verdict
from portal.delivery.providers.smpp_link import Link, Lost, NotBound, Where
from portal.delivery.providers.smpp_parts import BASES, OnTheirWay, Parts
from portal.delivery.providers.smpp_pdus import Pdu
from portal.delivery.providers.smpp_session import Session

FIELDS: Final = (
    Field(
        name="host",
        label="Host",
        pattern=r"[A-Za-z0-9.:-]{1,253}",
        fix="A host is a name such as smpp.example.com.",
    ),
    Field(name="port", label="Port", default="3550", pattern=r"[1-9][0-9]{0,4}", fix="A port is 1 to 65535."),
    Field(
        name="tls",
        label="TLS",
        help="Only a host that the operator allows may be called without.",
        default="on",
        choices=("on", "off"),
    ),
    Field(
        name="system_id",
        label="System ID",
        pattern=r"[!-~]{1,15}",
        fix="A system ID has up to 15 characters without spaces.",
    ),
    Field(
        name="password",
        label="Password",
        is_secret=True,
        pattern=r"[!-~]{1,8}",
        fix="SMPP knows passwords of up to 8 characters, without spaces.",
    ),
    Field(
        name="system_type",
        label="System type",
        help="Empty, unless the carrier gave one.",
        is_required=False,
        pattern=r"[!-~]{1,12}",
        fix="A system type has up to 12 characters.",
    ),
    fields.sender("A number, a short code, or a sender name."),
    Field(
        name="receipt_ids",
        label="Numbers of messages in receipts",
        help="How a receipt writes the number that the answer gave; some carriers change its base.",
        default="same",
        choices=tuple(BASES),
    ),
)

# Statuses of submit_sm_resp and of the bind, in our words; a code that stands in no list is for good.
_CODES: Final[Mapping[int, Verdict]] = {
    **dict.fromkeys((0x04, 0x05, 0x08, 0x14, 0x45, 0x58, 0x64, 0xFE, 0xFF), LATER),
    **dict.fromkeys((0x0A, 0x0D, 0x0E, 0x0F, 0x15, 0x48, 0x49, 0x53, 0x66), ACCOUNT),
    **dict.fromkeys((0x0B, 0x50, 0x51), PHONE),
    **dict.fromkeys((0x01, 0x02, 0x03, 0x06, 0x07, 0x43, 0x61, 0x62, 0x63, 0x65, 0xC0, 0xC4), MESSAGE),
}
_OK: Final = 0x00
_TOO_FAST: Final = frozenset({0x14, 0x58})
# How long (s) a receipt that nobody knows waits for the answers that are under way.
_EARLY: Final = 1.0
# The rest (s) before another try where the SMSC says that it gets too much.
_REST: Final = 1.0


class _Refused(Exception):
    """The SMSC answered a submit_sm with a status other than OK; `has_parts` where it took some before."""

    def __init__(self, status: int, *, has_parts: bool) -> None:
        super().__init__()
        self.status, self.has_parts = status, has_parts


class Smpp:
    """One account at an SMSC. It binds when it first sends, and stays bound, for receipts, until closed."""

    name = ProviderKind.SMPP

    def __init__(
        self, settings: Mapping[str, str], secrets: Mapping[str, str], surroundings: Surroundings
    ) -> None:
        host, port, tls = settings["host"].lower(), int(settings["port"]), settings["tls"] == "on"
        where = f"[{host}]" if ":" in host else host
        url = f"{'https' if tls else 'http'}://{where}:{port}"
        judging.refuse_address("host", url, surroundings)
        target = outgoing_urls.target(url, surroundings.private_hosts)
        self._where = Where(
            addresses=lambda: resolving.addresses(target, 3.0),
            host=host,
            port=port,
            system_id=settings["system_id"],
            password=secrets["password"],
            system_type=settings.get("system_type", ""),
            trust=httpx2.create_ssl_context() if tls else None,
        )
        self._sender = settings["sender"]
        self._on_receipts = surroundings.on_receipts
        self._on_their_way = OnTheirWay(settings["receipt_ids"])
        self._asked: set[asyncio.Event] = set()
        self._opening = threading.Lock()
        self._session: Session | None = None

    def send(self, sms: Sms) -> Accepted:
        """Hands one SMS to the SMSC, in as many parts as it takes. Raises ProviderFailure."""
        valid = judging.seconds_left(sms.valid_until, least=60, most=86_400)
        units = smpp_pdus.submits(sms.reference, self._sender, sms.to, sms.text, valid)
        session = self._opened()
        try:
            return Accepted(reference=session.wait(self._submit(session, units), TOTAL + 1))
        except _Refused as refused:
            raise _failure(refused) from None
        except NotBound as refused:
            raise _not_bound(refused) from None
        except Lost:
            raise ProviderUnreachable("no answer", may_have_left=True) from None

    def check(self) -> bool:
        """Binds, which shows whether the credentials are right. Raises ProviderFailure."""
        session = self._opened()
        try:
            return session.wait(_bound(session), TOTAL + 1)
        except NotBound as refused:
            raise _not_bound(refused) from None
        except Lost:
            raise ProviderUnreachable("no answer") from None

    def read_receipts(self, _arrived: Arrived) -> list[Receipt]:
        """Receipts come over the bind; whatever arrives at an address is somebody else's. Raises always."""
        raise WrongSignature

    def close(self) -> None:
        """Unbinds."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _opened(self) -> Session:
        with self._opening:
            if self._session is None:
                self._session = Session(self._where, self._receive)
            return self._session

    # --- In the session's loop -----------------------------------------------------------------------------

    async def _submit(self, session: Session, units: list[SubmitSm]) -> str:
        """Sends the parts in turn; the id of the first stands for all."""
        loop = asyncio.get_running_loop()
        until = loop.time() + TOTAL
        link = await session.link(until)
        parts = Parts(len(units))
        for unit in units:
            try:
                answer = await self._ask(link, unit, until, parts)
                while answer.status in _TOO_FAST and parts.ids and loop.time() + _REST < until:
                    # A part is there already, so the others are worth waiting for.
                    await asyncio.sleep(_REST)
                    answer = await self._ask(link, unit, until, parts)
            except NotBound as refused:
                # This part was not written, but the ones before it may have left.
                raise (Lost() if parts.ids else refused) from None
            if answer.status != _OK:
                raise _Refused(answer.status, has_parts=bool(parts.ids))
        return parts.ids[0]

    async def _ask(self, link: Link, unit: SubmitSm, until: float, parts: Parts) -> Pdu:
        is_over = asyncio.Event()
        self._asked.add(is_over)
        try:
            return await link.ask(unit, until, lambda pdu: self._note(parts, pdu))
        finally:
            self._asked.discard(is_over)
            is_over.set()

    def _note(self, parts: Parts, answer: Pdu) -> None:
        if answer.status == _OK:
            self._on_their_way.note(parts, answer)

    async def _receive(self, pdu: Pdu) -> bool:
        told = smpp_pdus.read_receipt(pdu)
        if told is None:
            return True
        if self._asked and not self._on_their_way.knows(told):
            # Some SMSCs send a receipt before the very answer that names its part.
            await _answers_to(self._asked)
        receipt = self._on_their_way.receipt(told)
        if receipt is None:
            return True
        try:
            await asyncio.to_thread(self._on_receipts, [receipt])
        except Exception:  # noqa: BLE001 - whatever keeps a receipt from being noted, the SMSC shall come again
            return False
        return True


async def _answers_to(asked: set[asyncio.Event]) -> None:
    """Waits until everything that is asked now is answered, for a second at most."""
    waiting = [asyncio.create_task(each.wait()) for each in asked]
    _, late = await asyncio.wait(waiting, timeout=_EARLY)
    for each in late:
        each.cancel()


async def _bound(session: Session) -> bool:
    return await session.link(asyncio.get_running_loop().time() + TOTAL) is not None


def _failure(refused: _Refused) -> ProviderFailure:
    retry_after = round(_REST * 1000) if refused.status in _TOO_FAST else None
    return _CODES.get(refused.status, MESSAGE).refusal(
        f"SMPP status 0x{refused.status:08X}", retry_after=retry_after, may_have_left=refused.has_parts
    )


def _not_bound(refused: NotBound) -> ProviderFailure:
    if refused.status is not None and _CODES.get(refused.status) is ACCOUNT:
        return ACCOUNT.refusal(f"bind refused, SMPP status 0x{refused.status:08X}")
    words = refused.words or f"bind refused, SMPP status 0x{refused.status or 0:08X}"
    return ProviderUnreachable(words)
