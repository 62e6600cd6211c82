"""How does memory that a storm needed go back to the system? The C library keeps what was freed, for ever."""

import ctypes
import sys
import threading
from typing import Final

# How long (s) it has to be quiet first: whoever takes the memory again pays for each page of it.
_QUIET_FOR: Final = 2.0
# The number of this setting in glibc's malloc.h.
_M_ARENA_MAX: Final = -8


class SpareMemory:
    """Gives back what is free once nobody has needed it for a while. Linux with glibc only; else nothing."""

    def __init__(self) -> None:
        # Only glibc has these, and only where it is the process's own library can it be asked like this.
        library = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._trim = getattr(library, "malloc_trim", None)
        if library is not None and self._trim is not None:
            # What a thread freed at the end of an arena of its own would be out of reach.
            library.mallopt(_M_ARENA_MAX, 1)
        self._lock = threading.Lock()
        self._users = 0
        self._timer: threading.Timer | None = None

    def take(self) -> None:
        """Somebody begins to need much memory."""
        with self._lock:
            self._users += 1
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def leave(self) -> None:
        """And needs it no longer. Waits for nothing."""
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._trim is not None:
                self._timer = threading.Timer(_QUIET_FOR, self._give_back)
                self._timer.daemon = True
                self._timer.start()

    def _give_back(self) -> None:
        with self._lock:
            self._timer = None
            is_quiet = self._users == 0
        if is_quiet and self._trim is not None:
            self._trim(0)
