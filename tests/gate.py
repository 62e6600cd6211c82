"""What stands between a server and its database? A port that can be shut, held, and led somewhere else."""

import contextlib
import socket
import threading
import time


class Gate:
    """A port in front of a database server, which can be shut, or held so that nothing comes through."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._held = threading.Event()
        self._pairs: list[socket.socket] = []
        self.port = 0
        self.open()

    def open(self) -> None:
        """Lets clients through."""
        self._held.clear()
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def shut(self) -> None:
        """Ends all connections, and takes no more."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for each in self._pairs:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._pairs.clear()

    def hold(self) -> None:
        """Keeps connections, and what they say."""
        self._held.set()

    def lead_to(self, port: int) -> None:
        """Whoever comes from now on gets to another server of this machine."""
        self._there = ("127.0.0.1", port)

    def let_go(self) -> None:
        """Lets through what was held."""
        self._held.clear()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                try:
                    server = socket.create_connection(self._there)
                except OSError:
                    # The server is away, which its client learns as it would without a gate.
                    client.close()
                    continue
                self._pairs += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                while self._held.is_set():
                    time.sleep(0.02)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
