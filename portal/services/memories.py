"""What does not change from one page to the next? Kept in this process for a while, by app."""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from sqlalchemy.orm import Session

MOST_APPS: Final = 200
_Answer = TypeVar("_Answer")


class Memory(Generic[_Answer]):
    """Answers about the apps that are looked at now, each asked for once in `kept` ms."""

    def __init__(self, ask: Callable[[Session, str], _Answer], kept: int) -> None:
        self._ask, self._kept = ask, kept
        self._answers: dict[str, tuple[int, _Answer]] = {}

    def of(self, session: Session, app_id: str, now: int) -> _Answer:
        """The answer about an app as it was less than `kept` ms before `now` (Unix ms)."""
        known = self._answers.get(app_id)
        if known is not None and 0 <= now - known[0] < self._kept:
            return known[1]
        if len(self._answers) >= MOST_APPS:
            self._answers.clear()
        answer = self._ask(session, app_id)
        self._answers[app_id] = now, answer
        return answer
