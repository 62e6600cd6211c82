"""How does a developer see SMS without a carrier? On the terminal that Ringback was started in."""

import threading
from typing import TextIO

from portal.delivery.providers.base import Accepted, Sms


class Console:
    """Writes each SMS to `out`, which is the terminal and never the log. Not there in production (OPS-06)."""

    name = "console"

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._one_at_a_time = threading.Lock()

    def send(self, sms: Sms) -> Accepted:
        """Shows one SMS, its number and its text in full."""
        with self._one_at_a_time:
            self._out.write(f"\n  SMS to {sms.to}\n{_indented(sms.text)}\n\n")
            self._out.flush()
        return Accepted(reference=sms.reference)


def _indented(text: str) -> str:
    return "\n".join(f"  | {line}" for line in text.split("\n"))
