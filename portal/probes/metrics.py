"""What does Prometheus read? The process's counters, and figures out of the rows (OPS-02)."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from flask import Flask
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError

from portal import clock
from portal.database import reading
from portal.own_work import of_all_apps
from portal.services import figures
from portal.services.figures import Figures


class Metrics:
    """The page of one server; any of its processes writes the same one."""

    def __init__(self, app: Flask, own: CollectorRegistry, shared: Path | None) -> None:
        """`own` holds this process's counters; `shared` is the folder in which processes share theirs."""
        self._app = app
        self._own = own
        self._shared = shared

    def page(self) -> bytes:
        """The figures in Prometheus' text format."""
        counters = self._own if self._shared is None else _counters_of_all(self._shared)
        rows = CollectorRegistry()
        rows.register(_Rows(self._read()))
        return generate_latest(counters) + generate_latest(rows)

    def _read(self) -> Figures | None:
        try:
            with of_all_apps(self._app):
                return figures.read(reading(), clock.now())
        except SQLAlchemyError:
            # The counters of requests are worth the more while the database is away.
            return None


class _Rows:
    """The figures as Prometheus wants them."""

    def __init__(self, found: Figures | None) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Each figure with its labels; without a database only that it is away."""
        found = self._found
        yield _gauge(
            "ringback_database_up", "Whether the database answered.", (), [(int(found is not None),)]
        )
        if found is not None:
            for name, says, labels, rows in _table_of(found):
                yield _gauge(f"ringback_{name}", says, labels, rows)


def _table_of(found: Figures) -> list[tuple[str, str, tuple[str, ...], Iterable[tuple[Any, ...]]]]:
    """Every gauge: its name, what it says, its labels, and its samples (values of the labels, figure)."""
    waiting = found.waiting
    states = [("queued", waiting.queued), ("sending", waiting.sending)]
    overdue = (waiting.overdue or 0) / clock.SECOND
    kept = ("state", "reason", "provider")
    return [
        ("messages_waiting", "Messages under way, counted up to 50,001.", ("state",), states),
        ("oldest_waiting_seconds", "How long the oldest waiting message has been due.", (), [(overdue,)]),
        ("messages_last_hour", "The last hour's messages, of the newest 10,000.", kept, found.messages),
        ("verifications_last_hour", "Verifications that ended.", ("state",), found.verifications),
        ("providers", "Carriers; paused ones failed too often.", ("kind", "state"), found.providers),
        ("alarms", "Alarms that stand.", ("name", "level"), found.alarms),
        ("workers_alive", "Workers with a sign of life in 15 seconds.", (), [(found.workers,)]),
        ("quarantined", "Whether a restored database keeps all back.", (), [(int(found.is_quarantined),)]),
    ]


def _gauge(
    name: str, says: str, labels: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> GaugeMetricFamily:
    """A gauge with one sample a row; the last value of a row is its figure."""
    gauge = GaugeMetricFamily(name, says, labels=labels)
    for row in rows:
        gauge.add_metric(list(row[:-1]), row[-1])
    return gauge


def _counters_of_all(folder: Path) -> CollectorRegistry:
    for path in folder.glob("gauge_live*_*.db"):
        pid = int(path.stem.rpartition("_")[2])
        if not _is_alive(pid):
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return registry


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
