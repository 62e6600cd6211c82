"""Where does a host stand? Looked up once, in bounded time, and only on the public internet (WEB-11)."""

import queue
import socket
import threading

from portal.core import outgoing_urls
from portal.core.outgoing_urls import AddressRefused, Target

# Addresses of one name that are tried, so that a dead one does not take all the time.
MOST = 3


class NotResolved(Exception):
    """The host has no address, or nobody said so in time."""


def addresses(target: Target, within: float) -> list[str]:
    """The IP addresses to connect to, found within so many seconds.

    Raises NotResolved, and AddressRefused when even one of them is not for calling: a name that is half
    public and half private is somebody's trick.
    """
    found = _look_up(target, within)
    if not target.is_private:
        if not all(outgoing_urls.is_public(each) for each in found):
            raise AddressRefused("The address is not on the public internet.")
        if any(_is_own(each) for each in found):
            raise AddressRefused("The address is Ringback's own.")
    return found[:MOST]


def _look_up(target: Target, within: float) -> list[str]:
    # The system's resolver knows no time-out, so it gets a thread that nobody waits for.
    answers: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            rows = []
        answers.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=max(within, 0))
    except queue.Empty:
        raise NotResolved from None
    if not found:
        raise NotResolved
    return found


def _is_own(address: str) -> bool:
    """Whether an address is one of this machine's: only from those does the way to it start at itself."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Of a datagram socket this sends nothing, and only looks the way up.
            probe.connect((address, 9))
        except OSError:
            return False
        return str(probe.getsockname()[0]) == address
