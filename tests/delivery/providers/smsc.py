"""Two SMSCs on this machine: smpp34's server, which others wrote, and one of bytes that does odd things."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import smpp34

from tests.delivery.providers.kannel_server import free_port, until

HEADER = struct.Struct("!IIII")
SYSTEM_ID, PASSWORD = "shop", "hush"
BIND, SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x09, 0x04, 0x05, 0x06, 0x15


def receipt(part_id: str, stat: str = "DELIVRD", err: str = "000") -> bytes:
    """The text of a receipt as appendix B has it."""
    head = f"id:{part_id} sub:001 dlvrd:001 submit date:2611281000 done date:2611281001"
    return f"{head} stat:{stat} err:{err} text:Your code".encode()


class Smsc34:
    """smpp34's server in a thread of its own; it accepts everything and sends a receipt for each part."""

    def __init__(self) -> None:
        self.port = free_port()
        self.submits: list[smpp34.SubmitSmEvent] = []
        self.acknowledged: list[int] = []
        self.binds = 0
        self.status_of: Callable[[int], int] = lambda _count: 0
        self.stat = "DELIVRD"
        self._loop = asyncio.new_event_loop()
        self._esmes: list[smpp34.Esme] = []
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        until(lambda: hasattr(self, "_server_is_up"))

    def unbind(self) -> None:
        """Says good-bye to the newest client, as an SMSC does before it is serviced."""

        async def say() -> None:
            await self._esmes[-1].unbind()

        asyncio.run_coroutine_threadsafe(say(), self._loop).result(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = smpp34.Server("127.0.0.1", self.port, system_id="SIM")
        await server.start()
        self._server_is_up = True
        work = asyncio.create_task(self._work(server))
        await self._stopping.wait()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await server.stop()

    async def _work(self, server: smpp34.Server) -> None:
        tasks = set()
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self.binds += 1
                self._esmes.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submits.append(event)
                status = self.status_of(len(self.submits))
                if status:
                    event.reject(status)
                    continue
                part_id = f"m{len(self.submits)}"
                event.accept(part_id)
                task = asyncio.create_task(self._tell(event, part_id))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    async def _tell(self, event: smpp34.SubmitSmEvent, part_id: str) -> None:
        with contextlib.suppress(smpp34.SmppError):
            answer = await self._esmes[-1].deliver_sm(
                source_addr=event.destination_addr,
                destination_addr=event.source_addr,
                esm_class=4,
                short_message=receipt(part_id, self.stat),
            )
            self.acknowledged.append(answer.command_status)


@dataclass
class RawSmsc:
    """An SMSC of bytes: `play` answers each unit that is no bind; what it returns is written as it is."""

    play: Callable[["RawSmsc", int, int, bytes], bytes | None]
    context: ssl.SSLContext | None = None
    bind_status: int = 0
    units: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> "RawSmsc":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for each in self.connections:
            self.cut(each)

    def say(self, command: int, body: bytes = b"", status: int = 0, sequence: int = 77) -> None:
        """Writes one unit to the newest connection."""
        self.connections[-1].sendall(unit(command, body, status, sequence))

    def cut(self, connection: socket.socket | None = None) -> None:
        """Breaks a connection, the newest unless told otherwise."""
        gone = connection or self.connections[-1]
        with contextlib.suppress(OSError):
            gone.shutdown(socket.SHUT_RDWR)
        gone.close()

    def of(self, command: int) -> list[bytes]:
        """The bodies of the units with this command that came so far."""
        return [body for found, _, _, body in self.units if found == command]

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, struct.error):
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.connections.append(connection)
            with connection:
                while True:
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        length, command, status, sequence = HEADER.unpack(_exactly(connection, 16))
        body = _exactly(connection, length - 16)
        self.units.append((command, status, sequence, body))
        if command == BIND:
            connection.sendall(unit(BIND | 0x80000000, b"SIM\0", self.bind_status, sequence))
            return
        said = self.play(self, command, sequence, body)
        if said:
            connection.sendall(said)


def unit(command: int, body: bytes = b"", status: int = 0, sequence: int = 77) -> bytes:
    """One unit in bytes."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def deliver(text: bytes, *, esm_class: int = 4, extras: bytes = b"") -> bytes:
    """The body of a deliver_sm."""
    addresses = b"\0\1\x0181901\0\1\x0115550100\0"
    return addresses + bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, 0, 0, len(text))) + text + extras


def accepts(smsc: RawSmsc, command: int, sequence: int, _body: bytes) -> bytes | None:
    """Takes every SMS, under the ids m1, m2 ...; answers whatever else is asked."""
    if command & 0x80000000:
        return None
    said = f"m{len(smsc.of(SUBMIT))}\0".encode() if command == SUBMIT else b""
    return unit(command | 0x80000000, said, 0, sequence)


def _exactly(connection: socket.socket, count: int) -> bytes:
    raw = b""
    while len(raw) < count:
        piece = connection.recv(count - len(raw))
        if not piece:
            raise OSError("gone")
        raw += piece
    return raw


def settle(seconds: float = 0.2) -> None:
    """Lets happen what should not."""
    time.sleep(seconds)
