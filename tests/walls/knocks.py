"""How does somebody knock over HTTP? One kept connection, and answers as the bytes that came."""

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"
HTMX = {"HX-Request": "true"}
# They are about one request, one minute or one connection, and say nothing of what was asked for.
PASSING = {"x-request-id", "date", "connection", "keep-alive"}
_TOKENS = re.compile(
    rb"(?<=<code>)[0-9a-f]{32}(?=</code>)"
    + rb"|(?<=name=\"csrf_token\" value=\")[^\"]*"
    + rb"|(?<=X-CSRFToken&#34;: &#34;)[^&]*|(?<=X-CSRFToken\": \")[^\"]*"
    # The challenge of a passkey is as random as a token.
    + rb"|(?<=challenge&#34;: &#34;)[^&]*"
)


@dataclass(frozen=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The one header of this name; empty where there is none, and a fault where there are two."""
        found = [value for each, value in self.headers if each.lower() == name.lower()]
        assert len(found) < 2, (name, found)
        return found[0] if found else ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def told(self, *asked: str) -> tuple[object, ...]:
        """All that somebody can learn from it: without ids of requests, tokens, and what was `asked` for."""
        headers = sorted((name.lower(), value) for name, value in self.headers)
        kept = [f"{name}: {value}" for name, value in headers if name not in PASSING]
        text = "\n".join(kept).encode() + b"\n\n" + _TOKENS.sub(b"*", self.body)
        for word in sorted(filter(None, asked), key=len, reverse=True):
            text = text.replace(word.encode(), b"~" * len(word))
        return self.status, text


@dataclass
class Door:
    """One connection to the server. It is opened again when the server has closed it."""

    port: int
    host: str
    _open: http.client.HTTPConnection | None = field(default=None, repr=False)

    def knock(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Sends one request as it is."""
        given = {"Host": self.host} | dict(headers or {})
        fresh = self._open is None
        connection = self._open = self._open or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, given)
            came = connection.getresponse()
            return Answer(came.status, tuple(came.getheaders()), came.read())
        except (http.client.RemoteDisconnected, ConnectionError):
            self.close()
            if fresh:
                raise
            return self.knock(method, path, headers, body)

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Opens a page."""
        return self.knock("GET", path, headers)

    def post(
        self, path: str, values: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends a form."""
        kind = {"Content-Type": FORM}
        return self.knock("POST", path, kind | dict(headers or {}), urlencode(values or {}).encode())

    def call(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        """Sends JSON, or no body at all for None."""
        kind = {"Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        return self.knock(method, path, kind | dict(headers), sent)

    @property
    def own_port(self) -> int:
        """The port at this end."""
        assert self._open is not None
        return int(self._open.sock.getsockname()[1])

    def close(self) -> None:
        """Lets the connection go."""
        if self._open is not None:
            self._open.close()
        self._open = None


def raw(port: int, request: bytes, seconds: float = 10) -> Answer:
    """Sends bytes that no well-behaved client would send, and reads one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        # A server that has heard enough answers and closes; its answer may still be read.
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        came = http.client.HTTPResponse(connection)
        came.begin()
        return Answer(came.status, tuple(came.getheaders()), came.read())
