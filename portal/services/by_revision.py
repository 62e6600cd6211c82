"""What is known of an app as of one revision? Remembered in this process until the app has another one."""

import threading
from typing import Final, Generic, TypeVar

_MOST_APPS: Final = 1_000

What = TypeVar("What")


class ByRevision(Generic[What]):
    """One thing of each app, good for one revision of it (models/app_revision.py).

    It must have been read with its revision, in one statement.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, What]] = {}

    def get(self, app_id: str, revision: str | None) -> What | None:
        """What is remembered of an app as of `revision`, if anything is."""
        known = self._known.get(app_id)
        return known[1] if known is not None and known[0] == revision else None

    def put(self, app_id: str, revision: str | None, what: What) -> None:
        """Remembers it in place of what was true of an earlier revision. None is no revision."""
        if revision is None:
            return
        with self._lock:
            if len(self._known) >= _MOST_APPS:
                self._known.clear()
            self._known[app_id] = revision, what
