"""Which addresses answer machines that watch? Three, in front of Flask: no session, no host, no turn in line.

An orchestrator asks by the machine's own address and often, and it must be answered while the line is long.
"""

import hmac
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from portal import config
from portal.probes import traffic
from portal.probes.metrics import Metrics
from portal.probes.readiness import Readiness
from portal.probes.traffic import Traffic
from portal.turnstile import WsgiApp

# Status, what is said, media type, and headers of its own.
Answer = tuple[str, bytes, str, tuple[tuple[str, str], ...]]
_TEXT = "text/plain; charset=utf-8"
_WRONG_METHOD: Answer = ("405 Method Not Allowed", b"Ask with GET.\n", _TEXT, (("Allow", "GET, HEAD"),))
_NOTHING: Answer = ("404 Not Found", b"There is nothing at this path.\n", _TEXT, ())


class Probes:
    """The three addresses of one app, and the counters behind the third."""

    def __init__(self, app: Flask, metrics_token: str) -> None:
        """Without a token there are no metrics."""
        registry = CollectorRegistry()
        self.readiness = Readiness(app)
        self.traffic = Traffic(registry)
        self._metrics = Metrics(app, registry, config.shared_metrics())
        self._token = metrics_token.encode()
        self._answers: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "/healthz": _health,
            "/readyz": self._ready,
            "/metrics": self._figures,
        }
        traffic.tell_routes(app)

    def guard(self, app: WsgiApp) -> WsgiApp:
        """`app`, with the three addresses answered before it and all its requests counted."""
        measured = self.traffic.measure(app)

        def answered(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            answer = self._answers.get(environment.get("PATH_INFO", ""))
            if answer is None:
                return measured(environment, start_response)
            return _write(environment, start_response, answer)

        return answered

    def _ready(self, _environment: dict[str, Any]) -> Answer:
        if self.readiness.is_ready():
            return "200 OK", b"ready\n", _TEXT, ()
        return "503 Service Unavailable", b"not ready\n", _TEXT, (("Retry-After", "1"),)

    def _figures(self, environment: dict[str, Any]) -> Answer:
        if not self._token:
            return _NOTHING
        scheme, _space, shown = environment.get("HTTP_AUTHORIZATION", "").partition(" ")
        # WSGI hands bytes over as Latin-1; comparing bytes takes the same time however wrong they are.
        is_right = hmac.compare_digest(shown.strip().encode("latin-1", "replace"), self._token)
        if scheme.lower() != "bearer" or not is_right:
            return "401 Unauthorized", b"Send the bearer.\n", _TEXT, (("WWW-Authenticate", "Bearer"),)
        return "200 OK", self._metrics.page(), CONTENT_TYPE_LATEST, ()


def _health(_environment: dict[str, Any]) -> Answer:
    return "200 OK", b"alive\n", _TEXT, ()


def _write(
    environment: dict[str, Any], start_response: Any, answer: Callable[[dict[str, Any]], Answer]
) -> Iterable[bytes]:
    method = environment.get("REQUEST_METHOD")
    status, said, media, more = answer(environment) if method in ("GET", "HEAD") else _WRONG_METHOD
    headers = [
        ("Content-Type", media),
        ("Content-Length", str(len(said))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        *more,
    ]
    start_response(status, headers)
    return [] if method == "HEAD" else [said]
