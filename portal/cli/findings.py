"""What does a doctor's check say? One finding: how it is, and what to do about it."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    """How one thing is. Only `bad` has to be mended before all is right."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do; no finding holds a password, a key or a number."""

    name: str
    state: State
    says: str
    do: str = ""

    @property
    def line(self) -> str:
        """The finding as one line."""
        return f"{self.state.value:<5} {self.name}: {self.says}{f' {self.do}' if self.do else ''}"

    @property
    def fields(self) -> dict[str, str]:
        """The finding for a program."""
        return asdict(self)


def ok(name: str, says: str) -> Finding:
    """All right."""
    return Finding(name, State.OK, says)


def note(name: str, says: str, do: str) -> Finding:
    """Good enough, and could be better."""
    return Finding(name, State.NOTE, says, do)


def bad(name: str, says: str, do: str) -> Finding:
    """Has to be mended."""
    return Finding(name, State.BAD, says, do)
