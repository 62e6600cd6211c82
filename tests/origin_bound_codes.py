"""What does a phone read out of an SMS? The reader of WICG's "Origin-bound one-time codes", section 3.2."""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class OriginBoundCode:
    """What a browser takes from an SMS: the host it may give the code to, and the code."""

    host: str
    code: str
    embedded_host: str | None = None


def read(text: str) -> OriginBoundCode | None:
    """The origin-bound code in a text, or None, by the steps of the specification's section 3.2."""
    line = _Line(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[-1])
    host = line.take_marked("@")
    if host is None or not line.skip_space():
        return None
    code = line.take_marked("#")
    if code is None:
        return None
    embedded_host = line.take_marked("@") if line.skip_space() else None
    return OriginBoundCode(host, code, embedded_host)


class _Line:
    """A line and the position in it, as the specification's steps move it."""

    _TOKEN: Final = re.compile(r"[^\t\n\f\r ]+")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def skip_space(self) -> bool:
        """Whether exactly this position holds a space; if so, the position is past it."""
        found = self._text.startswith(" ", self._at)
        self._at += found
        return found

    def take_marked(self, marker: str) -> str | None:
        """What follows the marker up to the next ASCII whitespace, at least one character."""
        if not self._text.startswith(marker, self._at):
            return None
        token = self._TOKEN.match(self._text, self._at + 1)
        if token is None:
            return None
        self._at = token.end()
        return token[0]
