"""What happens on one connection to an SMSC, from its bind to its end?"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aiosmpplib.protocol import BindTransceiver, EnquireLink, SmppMessage, Unbind

from portal.core.outgoing_urls import AddressRefused
from portal.delivery.providers.smpp_pdus import HEADER, LONGEST, Pdu
from portal.delivery.resolving import NotResolved

DELIVER_SM: Final = 0x05
UNBIND: Final = 0x06
ENQUIRE_LINK: Final = 0x15
_RESPONSE: Final = 0x8000_0000
_OK, _UNKNOWN_COMMAND, _COME_AGAIN = 0x00, 0x03, 0x64
# Without a word for so long (s), the SMSC is asked whether it is there; and how long it may think about it.
QUIET: Final = 30.0
PATIENCE: Final = 10.0
# How many of our units may be on their way without an answer, and how many of theirs are looked at at once;
# the latter may wait for answers to the former, so they must not keep those from being read.
_WINDOW: Final = 10
_HANDS: Final = 200


class NotBound(Exception):
    """There is no bind, and nothing was written. `status` is the SMSC's where it refused the bind."""

    def __init__(self, status: int | None = None, words: str = "") -> None:
        super().__init__()
        self.status, self.words = status, words


class Lost(Exception):
    """A unit was written, and the bind broke or no answer came in time."""


@dataclass(frozen=True, slots=True)
class Where:
    """Whom to bind to, as whom. `addresses` looks the host up anew at each bind, and takes its time."""

    addresses: Callable[[], list[str]]
    host: str = field(repr=False)
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    trust: ssl.SSLContext | None = None
    # Seconds for a connection, and for the answer to the bind.
    connect: float = 3.0


class Link:
    """One bound connection. `receive` is told every deliver_sm; false lets the SMSC come again with it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        receive: Callable[[Pdu], Awaitable[bool]],
    ) -> None:
        self._reader, self._writer, self._receive = reader, writer, receive
        self._waiting: dict[int, tuple[asyncio.Future[Pdu], Callable[[Pdu], None] | None]] = {}
        self._window, self._hands = asyncio.Semaphore(_WINDOW), asyncio.Semaphore(_HANDS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sequence = 0

    @classmethod
    async def open(cls, where: Where, receive: Callable[[Pdu], Awaitable[bool]]) -> "Link":
        """A connection that is bound as a transceiver. Raises NotBound."""
        try:
            reader, writer = await _connected(where)
        except AddressRefused as refused:
            raise NotBound(words=refused.fix) from None
        except (OSError, NotResolved):
            raise NotBound(words="no connection") from None
        link = cls(reader, writer, receive)
        try:
            bind = BindTransceiver(
                system_id=where.system_id, password=where.password, system_type=where.system_type
            )
            link._write(bind, 1)
            link._sequence = 1
            answer = await asyncio.wait_for(link._read(), where.connect)
        except (OSError, EOFError, ValueError):
            link.end()
            raise NotBound(words="no answer to the bind") from None
        if answer.status != _OK:
            link.end()
            raise NotBound(answer.status)
        return link

    async def ask(
        self, unit: SmppMessage, until: float, answered: Callable[[Pdu], None] | None = None
    ) -> Pdu:
        """Writes one unit and waits for its answer until the loop's time `until`.

        `answered` is told of the answer before anything is read that follows it. Raises NotBound where
        nothing was written, and Lost where no answer came.
        """
        try:
            async with asyncio.timeout_at(until):
                await self._window.acquire()
        except TimeoutError:
            raise NotBound(words="too much on its way") from None
        try:
            return await self._ask(unit, until, answered)
        finally:
            self._window.release()

    async def serve(self) -> None:
        """Reads until the connection ends, however it ends."""
        keeper = asyncio.create_task(self._keep_alive())
        try:
            while not self._writer.is_closing():
                await self._take(await self._read())
        except (OSError, EOFError, ValueError):
            pass
        finally:
            keeper.cancel()
            self.end()

    async def unbind(self) -> None:
        """Says good-bye, and ends the connection."""
        with contextlib.suppress(NotBound, Lost):
            await self.ask(Unbind(), asyncio.get_running_loop().time() + 1)
        self.end()

    def end(self) -> None:
        """Breaks the connection; whoever waits for an answer is told that it is lost."""
        self._writer.transport.abort()
        for answer, _ in self._waiting.values():
            if not answer.done():
                answer.set_exception(Lost())

    async def _ask(self, unit: SmppMessage, until: float, answered: Callable[[Pdu], None] | None) -> Pdu:
        if self._writer.is_closing():
            raise NotBound(words="no connection")
        self._sequence = sequence = self._sequence % 0x7FFF_FFFF + 1
        answer: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = (answer, answered)
        try:
            self._write(unit, sequence)
            async with asyncio.timeout_at(until):
                return await answer
        except (TimeoutError, OSError):
            raise Lost from None
        finally:
            self._waiting.pop(sequence, None)

    async def _read(self) -> Pdu:
        length, command, status, sequence = HEADER.unpack(await self._reader.readexactly(HEADER.size))
        if not HEADER.size <= length <= LONGEST:
            raise ValueError("no SMPP")
        return Pdu(command, status, sequence, await self._reader.readexactly(length - HEADER.size))

    async def _take(self, pdu: Pdu) -> None:
        if pdu.command & _RESPONSE:
            answer, answered = self._waiting.get(pdu.sequence, (None, None))
            if answer is not None and not answer.done():
                if answered is not None:
                    answered(pdu)
                answer.set_result(pdu)
        elif pdu.command == DELIVER_SM:
            await self._hands.acquire()
            task = asyncio.create_task(self._deliver(pdu))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            known = pdu.command in (ENQUIRE_LINK, UNBIND)
            self._respond(pdu, _OK if known else _UNKNOWN_COMMAND)
            if pdu.command == UNBIND:
                raise EOFError

    async def _deliver(self, pdu: Pdu) -> None:
        try:
            taken = await self._receive(pdu)
            if not self._writer.is_closing():
                self._respond(pdu, _OK if taken else _COME_AGAIN, b"\0")
        finally:
            self._hands.release()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(QUIET)
            try:
                await self.ask(EnquireLink(), asyncio.get_running_loop().time() + PATIENCE)
            except (Lost, NotBound):
                self.end()
                return

    def _write(self, unit: SmppMessage, sequence: int) -> None:
        unit.sequence_num = sequence
        self._writer.write(unit.pdu())

    def _respond(self, pdu: Pdu, status: int, body: bytes = b"") -> None:
        length = HEADER.size + len(body)
        self._writer.write(HEADER.pack(length, pdu.command | _RESPONSE, status, pdu.sequence) + body)


async def _connected(where: Where) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first address that answers. Raises OSError, AddressRefused and NotResolved."""
    found = await asyncio.to_thread(where.addresses)
    name = where.host if where.trust else None
    for at, address in enumerate(found, start=1):
        opening = asyncio.open_connection(address, where.port, ssl=where.trust, server_hostname=name)
        try:
            return await asyncio.wait_for(opening, where.connect)
        except OSError:
            if at == len(found):
                raise
    raise NotResolved
