"""Which state of a verification may follow which?

    open ──right code──────────────► verified
      ├───last guess wrong─────────► exhausted
      ├───code too old, new asked──► expired
      ├───another number instead───► replaced
      ├───back to the current──────► cancelled
      └───someone else was first───► superseded

Every state but open is final. A resend never leaves open; once the code is dead it opens a new verification.
"""

from enum import StrEnum


class Purpose(StrEnum):
    """What a verification is for: the number of a sign-up, or a number that is to replace it."""

    REGISTER = "register"
    CHANGE = "change"


class State(StrEnum):
    """Where a verification is."""

    OPEN = "open"
    VERIFIED = "verified"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    REPLACED = "replaced"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Event(StrEnum):
    """What can happen to a verification."""

    RIGHT_CODE = "right_code"
    WRONG_CODE = "wrong_code"
    LAST_GUESS = "last_guess"
    RESEND = "resend"
    RESET = "reset"
    EXPIRE = "expire"
    REPLACE = "replace"
    CANCEL = "cancel"
    SUPERSEDE = "supersede"


MOVES: dict[tuple[State, Event], State] = {
    (State.OPEN, Event.RIGHT_CODE): State.VERIFIED,
    (State.OPEN, Event.WRONG_CODE): State.OPEN,
    (State.OPEN, Event.LAST_GUESS): State.EXHAUSTED,
    (State.OPEN, Event.RESEND): State.OPEN,
    (State.OPEN, Event.RESET): State.OPEN,
    (State.OPEN, Event.EXPIRE): State.EXPIRED,
    (State.OPEN, Event.REPLACE): State.REPLACED,
    (State.OPEN, Event.CANCEL): State.CANCELLED,
    (State.OPEN, Event.SUPERSEDE): State.SUPERSEDED,
}


class ForbiddenMove(Exception):
    """An event came to a state that it cannot come to."""


def after(state: State, event: Event) -> State:
    """The state that follows `event` in `state`.

    Raises ForbiddenMove for every pair that is not in the table.
    """
    try:
        return MOVES[state, event]
    except KeyError:
        raise ForbiddenMove(f"{event} cannot happen to a verification that is {state}") from None
