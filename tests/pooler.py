"""A pooler in front of a real PostgreSQL server, which lends connections as PgBouncer does.

In transaction mode a client has a connection of the server's for one transaction each, and whichever is free;
in session mode until it leaves. Connections are handed on as they are, with whatever was prepared or listened
for on them. What the server says to nobody is dropped.
"""

import contextlib
import os
import queue
import select
import socket
import struct
import threading

GREETING = 196608
ASKS_FOR_TLS = (80877103, 80877104)
# Messages of a client that the server answers with "ready" each: Query, Sync, FunctionCall.
ENDED_BY_READY = (b"Q", b"S", b"F")


class Pooler:
    """Lends `size` connections of the server at `port` to any number of clients."""

    def __init__(
        self, port: int, *, user: str, database: str, size: int = 2, lends: str = "transaction"
    ) -> None:
        self._there = port
        self._who = {"user": user, "database": database}
        self._lends = lends
        self._free: queue.LifoQueue[Line | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._clients: list[Line] = []
        self._serving: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def lead_to(self, port: int) -> None:
        """From the next transaction on, clients reach another server, and notice nothing (RECONNECT)."""
        self._there = port
        for line in [self._free.get() for _ in range(self._free.qsize())]:
            if line is not None:
                line.close()
            self._free.put(None)

    def close(self) -> None:
        """Takes nobody any more, and hangs up on everybody."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        for line in self._clients:
            line.hang_up()
        for thread in self._serving:
            thread.join()
        self.lead_to(self._there)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._clients.append(line := Line(client))
                self._serving.append(threading.Thread(target=self._serve, args=(line,), daemon=True))
                self._serving[-1].start()

    def _serve(self, client: "Line") -> None:
        with contextlib.suppress(OSError, EOFError), contextlib.closing(client):
            client.greet()
            while True:
                first = client.read()
                if first[0] == b"X":
                    return
                self._lend(client, first)

    def _lend(self, client: "Line", first: tuple[bytes, bytes]) -> None:
        server = self._free.get()
        try:
            if server is None or server.is_gone():
                server = Line.to(self._there, self._who)
            is_whole = self._pass_on(client, server, first)
        except (OSError, EOFError):
            is_whole = False
            raise
        finally:
            if server is not None and not is_whole:
                server.close()
                server = None
            self._free.put(server)

    def _pass_on(self, client: "Line", server: "Line", first: tuple[bytes, bytes]) -> bool:
        """Until the transaction is over or the client left; whether the connection can be lent again."""
        message, waits = first, 0
        while message[0] != b"X":
            server.write(*message)
            waits += message[0] in ENDED_BY_READY
            while server.speaks_before(client):
                kind, body = server.read()
                client.write(kind, body)
                waits -= kind == b"Z"
                if (kind, body, waits, self._lends) == (b"Z", b"I", 0, "transaction"):
                    return True
            message = client.read()
        return False


class Line:
    """One connection, read and written in whole messages of PostgreSQL's protocol."""

    def __init__(self, end: socket.socket) -> None:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._end = end

    @classmethod
    def to(cls, port: int, who: dict[str, str]) -> "Line":
        """A new connection to a server that trusts everybody on this machine."""
        line = cls(socket.create_connection(("127.0.0.1", port)))
        words = b"".join(f"{name}\0{text}\0".encode() for name, text in who.items()) + b"\0"
        line._end.sendall(struct.pack("!II", len(words) + 8, GREETING) + words)
        while True:
            kind, _body = line.read()
            if kind == b"E":
                line.close()
                raise EOFError
            if kind == b"Z":
                return line

    def greet(self) -> None:
        """Lets a client in as a pooler does, which has no server for it yet: with a number of its own."""
        while True:
            length, code = struct.unpack("!II", self._exactly(8))
            self._exactly(length - 8)
            if code not in ASKS_FOR_TLS:
                break
            self._end.sendall(b"N")
        self.write(b"R", struct.pack("!I", 0))
        for name, text in (
            ("server_version", "17.0"),
            ("client_encoding", "UTF8"),
            ("DateStyle", "ISO, MDY"),
        ):
            self.write(b"S", f"{name}\0{text}\0".encode())
        self.write(b"S", b"standard_conforming_strings\0on\0")
        self.write(b"K", os.urandom(8))
        self.write(b"Z", b"I")

    def read(self) -> tuple[bytes, bytes]:
        """The next message: its kind, and the rest. Raises EOFError."""
        kind, length = self._exactly(1), struct.unpack("!I", self._exactly(4))[0]
        return kind, self._exactly(length - 4)

    def write(self, kind: bytes, body: bytes) -> None:
        """Sends one message."""
        self._end.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def speaks_before(self, other: "Line") -> bool:
        """Waits until one of both has something to read; whether this one has."""
        ready, _, _ = select.select([self._end, other._end], [], [])
        return self._end in ready

    def is_gone(self) -> bool:
        """Whether the other end hung up; drops what it said to nobody."""
        with contextlib.suppress(OSError, EOFError):
            while select.select([self._end], [], [], 0)[0]:
                self.read()
            return False
        return True

    def hang_up(self) -> None:
        """Wakes up whoever reads, who then closes it."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hangs up, and lets the socket go."""
        self.hang_up()
        self._end.close()

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            if not (more := self._end.recv(count - len(found))):
                raise EOFError
            found += more
        return found
