"""What happens every few seconds beside everything else? One piece of work on a thread of its own."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import structlog

_log = structlog.get_logger()


class Rounds:
    """Does `work` every so many seconds till it is stopped. An exception ends a round, never the thread."""

    def __init__(self, name: str, every: float, work: Callable[[], object], *, first: float = 0) -> None:
        """`first` is how long (s) the first round waits."""
        self._every = every
        self._first = first
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)

    def start(self) -> None:
        """Starts beside the caller."""
        self._thread.start()

    def stop(self, within: float = 5.0) -> None:
        """Begins no further round, and waits `within` seconds for the one under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(within)

    def _go_on(self) -> None:
        pause = self._first
        while not self._stopping.wait(pause):
            pause = self._every
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 - the top of a thread, which must go on
                # The error's own words may hold numbers, so only its kind and place are told (PII-02).
                place = place_of(error.__traceback__)
                _log.error("round_failed", name=self._thread.name, error=type(error).__name__, at=place)


def place_of(trace: TracebackType | None) -> str:
    """Where an error arose, as file and line: what a log may tell of it."""
    place = "unknown"
    while trace is not None:
        place = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
