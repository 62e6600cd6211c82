"""Servers on this machine that answer as well, or as badly, as the test tells them."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class OddServer:
    """A server whose every connection is played by `play(connection, request)`; it notes what it got."""

    play: Callable[[socket.socket, bytes], None]
    context: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        # Whoever waits for connections is woken up; a mere close would leave the port open.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self.context is None:
                self._answer(connection)
                return
            with self.context.wrap_socket(connection, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        request = _read(connection)
        self.requests.append(request)
        self.play(connection, request)


def answers(raw: bytes = OK):
    """A server that always says the same."""
    return lambda connection, _request: connection.sendall(raw)


def drips(raw: bytes, pause: float):
    """A server that says one byte at a time."""

    def play(connection: socket.socket, _request: bytes) -> None:
        for at in range(len(raw)):
            connection.sendall(raw[at : at + 1])
            time.sleep(pause)

    return play


def hangs(connection: socket.socket, _request: bytes) -> None:
    """A server that reads everything and says nothing."""
    connection.settimeout(30)
    connection.recv(1)


def resets(connection: socket.socket, _request: bytes) -> None:
    """A server that breaks the connection once it has the request."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def _read(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65536)
        if not piece:
            return request
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@dataclass
class Authority:
    """Somebody who vouches for servers in tests."""

    folder: Path

    def __post_init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
        self._certificate = self._sign(self._name, self._key, x509.BasicConstraints(True, None))
        (self.folder / "ca.pem").write_bytes(_pem(self._certificate))

    def trust(self) -> ssl.SSLContext:
        """What a client believes that believes this authority."""
        return ssl.create_default_context(cafile=str(self.folder / "ca.pem"))

    def server(self, name: str, seen: list[str] | None = None) -> ssl.SSLContext:
        """What a server of this name shows; the names that clients ask for are added to `seen`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        certificate = self._sign(subject, key, x509.SubjectAlternativeName([alternative]))
        path = self.folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + _pem(certificate))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        if seen is not None:
            context.sni_callback = lambda _socket, asked, _context: seen.append(asked)
        return context

    def _sign(self, subject: x509.Name, key, extension: x509.ExtensionType) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical=True)
        )
        return builder.sign(self._key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@contextlib.contextmanager
def serving(play, context: ssl.SSLContext | None = None) -> Iterator[OddServer]:
    """A server for the length of a test."""
    server = OddServer(play, context)
    try:
        yield server
    finally:
        server.close()
