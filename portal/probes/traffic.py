"""How many requests, how fast, how refused? Counted in front of Flask, so that waiting in line counts too."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from portal.turnstile import WsgiApp

# What the doors leave in the WSGI environment: the rule that answered, and the code or reason of a refusal.
ROUTE = "ringback.route"
REFUSAL = "ringback.refusal"
# Addresses that no rule answers are counted together: whoever makes addresses up makes no labels.
_NO_ROUTE = "none"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Traffic:
    """The counters of one process. The processes of `serve --workers` share them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "ringback_requests_total",
            "Requests by door, route and class of status.",
            ("door", "method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ringback_request_seconds",
            "Time until the answer began, waiting in line included.",
            ("door", "route"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._code_checks = Counter(
            "ringback_code_checks_total",
            "Verification codes that were sent in, by what became of them.",
            ("outcome",),
            registry=registry,
        )
        self._refusals = Counter(
            "ringback_refusals_total", "Refused API calls by code or reason.", ("code",), registry=registry
        )
        self._hashes = Gauge(
            "ringback_password_hashes",
            "Passwords that are being hashed or wait for it.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._known: dict[tuple[str, str, str], Callable[[float], None]] = {}

    def watch_hashes(self, under_way: int) -> None:
        """Notes how many passwords this process is hashing or has waiting."""
        self._hashes.set(under_way)

    def measure(self, app: WsgiApp) -> WsgiApp:
        """`app`, with every request counted once its answer begins."""

        def measured(environment: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            began = time.perf_counter()

            def started(status: str, headers: Any, *error: Any) -> Any:
                self._note(environment, status[:1], time.perf_counter() - began)
                return start_response(status, headers, *error)

            return app(environment, started)

        return measured

    def _note(self, environment: dict[str, Any], status: str, seconds: float) -> None:
        route, method = environment.get(ROUTE, _NO_ROUTE), environment.get("REQUEST_METHOD", "")
        key = (route, method if method in _METHODS else "other", status)
        note = self._known.get(key) or self._known.setdefault(key, self._noter(*key))
        note(seconds)
        refusal = environment.get(REFUSAL)
        if refusal is not None:
            self._refusals.labels(refusal).inc()
        if route.endswith("/phone-number/verify"):
            self._code_checks.labels(refusal or ("verified" if status == "2" else "error")).inc()

    def _noter(self, route: str, method: str, status: str) -> Callable[[float], None]:
        door = "api" if route.startswith("/api") else "portal"
        count = self._requests.labels(door, method, route, f"{status}xx")
        histogram = self._seconds.labels(door, route)

        def note(seconds: float) -> None:
            count.inc()
            histogram.observe(seconds)

        return note


def tell_routes(app: Flask) -> None:
    """Lets every request say which rule answers it; never the path, which may name somebody."""
    app.before_request(_tell_route)


def _tell_route() -> None:
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
