"""How does Ringback call a server outside? Once, to a checked address, in bounded time and size (WEB-11).

NotReached       no whole answer; `may_have_left` says whether the request was written
AddressRefused   (of core.outgoing_urls) the address is none that Ringback calls
"""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx2

from portal.core import outgoing_urls
from portal.core.outgoing_urls import AddressRefused, Target
from portal.delivery import resolving
from portal.delivery.resolving import NotResolved

CONNECT = 3.0
TOTAL = 10.0
# What is read of an answer, in bytes; the rest is none of our business.
LARGEST_ANSWER = 64 * 1024

__all__ = ["AddressRefused", "Answer", "NotReached", "Outgoing"]


class NotReached(Exception):
    """There was no whole answer: `because` says so in a word. It names neither the address nor the request.

    `may_have_left` where the request was written, at least in part, before the time was over or the
    connection broke (DEL-07).
    """

    def __init__(self, because: str, *, may_have_left: bool) -> None:
        super().__init__(because)
        self.because = because
        self.may_have_left = may_have_left


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `headers` have names in lower case; `body` is cut at LARGEST_ANSWER bytes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text; bytes that are none are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body read as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Calls servers outside. `private_hosts` are the operator's exceptions, `own_url` is Ringback's address.

    `trust` says whose certificates are believed; the system's when there is none. `connect` and `total` are
    seconds.
    """

    private_hosts: frozenset[str] = frozenset()
    own_url: str = field(default="", repr=False)
    trust: ssl.SSLContext | None = None
    connect: float = CONNECT
    total: float = TOTAL

    def call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        """One request and its answer, whatever its status; follows no redirect and keeps no cookie.

        Raises AddressRefused before anything is connected, and NotReached.
        """
        own_host = urlsplit(self.own_url).hostname or ""
        target = outgoing_urls.target(url, self.private_hosts, own_host)
        call = _Call(target, url, time.monotonic() + self.total, self.connect)
        try:
            found = resolving.addresses(target, self.connect)
        except NotResolved:
            raise NotReached("name not found", may_have_left=False) from None
        request_headers = {"host": target.netloc, "user-agent": "Ringback", "connection": "close"}
        request_headers |= {"accept-encoding": "identity", **(headers or {})}
        for address in found[:-1]:
            try:
                return call.to(address, method, request_headers, content, self.trust)
            except NotReached as failure:
                if failure.may_have_left:
                    raise
        return call.to(found[-1], method, request_headers, content, self.trust)


class _Call:
    """One call, which ends at `deadline` (of the monotonic clock, s) whatever the server does."""

    def __init__(self, target: Target, url: str, deadline: float, connect: float) -> None:
        self._target, self._url = target, httpx2.URL(url)
        self._deadline, self._connect = deadline, time.monotonic() + connect
        self._stream: Any = None
        self._was_written = self._is_over = False

    def to(
        self,
        address: str,
        method: str,
        headers: Mapping[str, str],
        content: bytes,
        trust: ssl.SSLContext | None,
    ) -> Answer:
        """The answer of the server at one IP address. Raises NotReached."""
        now = time.monotonic()
        limits = {"connect": max(self._connect - now, 0.001), "pool": CONNECT}
        limits |= dict.fromkeys(("read", "write"), max(self._deadline - now, 0.001))
        # It connects to the address that was checked; certificate and Host are still those of the name.
        request = httpx2.Request(
            method,
            self._url.copy_with(host=address),
            headers=headers,
            content=content,
            extensions={"timeout": limits, "sni_hostname": self._target.host, "trace": self._watch},
        )
        try:
            with self._ended_in_time(), _transport(trust) as transport:
                return self._read(transport.handle_request(request))
        except (httpx2.HTTPError, ssl.SSLError, OSError, ValueError) as error:
            raise self._failure(error) from None

    def _read(self, response: httpx2.Response) -> Answer:
        body = b""
        assert isinstance(response.stream, httpx2.SyncByteStream)
        for piece in response.stream:
            body += piece
            if len(body) >= LARGEST_ANSWER:
                break
        response.close()
        if self._is_over:
            raise self._failure(None)
        return Answer(response.status_code, dict(response.headers), body[:LARGEST_ANSWER])

    def _watch(self, event: str, details: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = details["return_value"]
        elif event == "http11.send_request_headers.started":
            self._was_written = True

    @contextmanager
    def _ended_in_time(self) -> Iterator[None]:
        """Shuts the connection at the deadline, since the time-out of one read says nothing about all."""
        timer = threading.Timer(max(self._deadline - time.monotonic(), 0), self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        self._is_over = True
        if self._stream is not None:
            _shut(self._stream.get_extra_info("socket"))

    def _failure(self, error: Exception | None) -> NotReached:
        if self._is_over or isinstance(error, httpx2.TimeoutException):
            return NotReached("time-out", may_have_left=self._was_written)
        because = "broken connection" if self._was_written else "no connection"
        return NotReached(because, may_have_left=self._was_written)


def _shut(connection: Any) -> None:
    try:
        connection.shutdown(2)
    except (OSError, ValueError):
        # It was closed a moment before, which is what was wanted.
        return


def _transport(trust: ssl.SSLContext | None) -> httpx2.HTTPTransport:
    limits = httpx2.Limits(max_connections=1, max_keepalive_connections=0)
    return httpx2.HTTPTransport(verify=trust or _system_trust(), trust_env=False, limits=limits)


@cache
def _system_trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()
